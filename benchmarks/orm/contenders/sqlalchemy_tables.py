"""SQLAlchemy's tables and engine, asynchronous: asyncpg or aiosqlite. What is common to its ORM and Core."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Numeric, String, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from orm import data


class UTCDateTime(TypeDecorator):
    """An aware datetime; SQLite has only naive ones, so they are UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        """Return what is stored."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value, dialect):
        """Return an aware datetime."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """The models' base."""


class Item(Base):
    """Ten columns of mixed types."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    weight: Mapped[float]
    active: Mapped[bool]
    created: Mapped[datetime] = mapped_column(UTCDateTime)
    code: Mapped[UUID]
    note: Mapped[str | None] = mapped_column(String(100))


class Author(Base):
    """Who has posts."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(100))
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    """What an author wrote."""

    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    created: Mapped[datetime] = mapped_column(UTCDateTime)
    author: Mapped[Author] = relationship(back_populates="posts")


class Entry(Base):
    """What is inserted and deleted."""

    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    created: Mapped[datetime] = mapped_column(UTCDateTime)


def _set_pragmas(connection, _record):
    cursor = connection.cursor()
    for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@asynccontextmanager
async def open_engine(url):
    """Open an engine with a pool of ten connections."""
    if url.startswith("sqlite"):
        engine = create_async_engine(url.replace("sqlite://", "sqlite+aiosqlite://"))
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    else:
        engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=10, max_overflow=0
        )
    try:
        yield engine
    finally:
        await engine.dispose()


async def prepare(engine):
    """Make and fill the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(Item.__table__.insert(), list(data.items()))
        await connection.execute(Author.__table__.insert(), list(data.authors()))
        await connection.execute(Post.__table__.insert(), list(data.posts()))
