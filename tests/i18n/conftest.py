"""Catalogs as gettext's tools write them."""

import struct

import pytest


def build_mo(messages):
    """Return a catalog in GNU's binary form: a header, two tables of (length, offset), the texts."""
    entries = sorted((key.encode(), value.encode()) for key, value in messages.items())
    head = struct.calcsize("<7I")
    tables = head + 16 * len(entries)
    texts, keys, values = b"", [], []
    for group, table in ((0, keys), (1, values)):
        for entry in entries:
            table.append((len(entry[group]), tables + len(texts)))
            texts += entry[group] + b"\0"
    numbers = [number for pair in keys + values for number in pair]
    header = struct.pack("<7I", 0x950412DE, 0, len(entries), head, head + 8 * len(entries), 0, 0)
    return header + struct.pack(f"<{len(numbers)}I", *numbers) + texts


@pytest.fixture
def write_catalog():
    def write(folder, locale, messages, plural="nplurals=2; plural=(n != 1);"):
        facts = f"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: {plural}\n"
        path = folder / locale / "LC_MESSAGES" / "messages.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(build_mo({"": facts} | messages))

    return write
