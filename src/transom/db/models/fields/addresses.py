"""Addresses on the Internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar, overload

from transom.db.exceptions import DataError
from transom.db.models.fields.base import Field, FieldOptions
from transom.db.sql.column_type import ColumnType
from transom.validators import validate_ipv4_address, validate_ipv6_address, validate_ipv46_address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from transom.db.models.fields.base import Converter
    from transom.db.sql.metadata import Vendor
    from transom.validators import Validator

T = TypeVar("T")

Protocol: TypeAlias = Literal["both", "IPv4", "IPv6"]
_PROTOCOLS: Final[dict[Protocol, Validator]] = {
    "both": validate_ipv46_address,
    "IPv4": validate_ipv4_address,
    "IPv6": validate_ipv6_address,
}


class GenericIPAddressField(Field[T]):
    """An IPv4 or IPv6 address, as text in its usual form: PostgreSQL's `inet`, text on SQLite.

    Args:
        verbose_name: see `Field`.
        protocol: which addresses `full_clean()` takes: `"both"`, `"IPv4"` or `"IPv6"`.
        unpack_ipv4: whether `::ffff:192.0.2.1` becomes `192.0.2.1`.
        null: see `Field`.
        options: see `Field`.
    """

    default_messages = {"invalid": "Enter an IPv4 or IPv6 address."}

    @overload
    def __init__(
        self: GenericIPAddressField[str],
        verbose_name: str | None = None,
        *,
        protocol: Protocol = "both",
        unpack_ipv4: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions[str]],
    ) -> None: ...
    @overload
    def __init__(
        self: GenericIPAddressField[str | None],
        verbose_name: str | None = None,
        *,
        protocol: Protocol = "both",
        unpack_ipv4: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions[str | None]],
    ) -> None: ...
    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        protocol: Protocol = "both",
        unpack_ipv4: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions[Any]],
    ) -> None:
        super().__init__(verbose_name, null=null, **options)
        if protocol not in _PROTOCOLS:
            raise TypeError(f"protocol={protocol!r} must be one of {', '.join(map(repr, _PROTOCOLS))}")
        if unpack_ipv4 and protocol != "both":
            raise TypeError("unpack_ipv4 makes IPv4 addresses of IPv6 ones, so it needs protocol='both'")
        self.protocol: Protocol = protocol
        self.unpack_ipv4 = unpack_ipv4

    def column_type(self) -> ColumnType:
        """Return the type of an address."""
        return ColumnType("inet")

    def size_validators(self) -> Iterable[Validator]:
        """Return the check of the protocol."""
        return (_PROTOCOLS[self.protocol],)

    def encoder(self, vendor: Vendor) -> Converter:
        """Return a function that takes an address as text, or one of the module ipaddress, and writes it in one form."""

        def encode(value: object) -> str:
            if not isinstance(value, str | IPv4Address | IPv6Address):
                raise self.wrong_type(value, "an IP address as text")
            try:
                return self._normal_form(value)
            except ValueError:
                raise DataError(f"{self.label} takes an IP address, not {value!r}") from None

        return encode

    def decoder(self, vendor: Vendor) -> Converter | None:
        """Return str where the driver gives objects."""
        return str if vendor == "postgresql" else None

    def to_python(self, value: Any) -> Any:
        """Return the address in its usual form."""
        if value is None or value == "":
            return value
        try:
            return self._normal_form(value)
        except ValueError:
            raise self.error("invalid") from None

    def _normal_form(self, value: Any) -> str:
        address = ip_address(str(value).strip())
        if self.unpack_ipv4 and isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return str(address)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Add the protocol."""
        name, path, arguments, keywords = super().deconstruct()
        if self.protocol != "both":
            keywords["protocol"] = self.protocol
        if self.unpack_ipv4:
            keywords["unpack_ipv4"] = True
        return name, path, arguments, keywords
