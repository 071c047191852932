"""What type checkers must refuse: each line marked so is an error, no other is."""

from __future__ import annotations

from transom.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)
    age = models.IntegerField(null=True)


class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
    readers = models.ManyToManyField(Author, related_name="read")
    editor = models.OneToOneField(Author, models.CASCADE, related_name="edits")


async def mistakes(author: Author, book: Book) -> None:
    author.name = None  # error
    author.name = 3  # error
    author.age = "x"  # error
    book.author = book  # error
    author.name.icontains("x")  # error
    Author.age.icontains("x")  # error
    Author.name.icontains(3)  # error
    Author.age.between("x", 3)  # error
    Author.nmae.icontains("x")  # error
    models.CharField()  # error
    models.CharField(max_length=3, default=5)  # error
    models.ForeignKey(Author)  # error
    models.ForeignKey(Author, models.CASCADE, to_feld="x")  # error
    models.ManyToManyField(Author, null=True)  # error
    book.editor = None  # error
    book.readers.loaded.append(book)  # error
    book.readers = [author]  # error
    await author.read.all()  # error
    Author.objects.all() & Book.objects.all()  # error
    await Author.objects.all().contains("x")  # error
    await Author.objects.bulk_create([book])  # error
    await Author.objects.bulk_update([author], "name", batch_size="x")  # error
    latest: Book = await Author.objects.all().latest("age")  # error
    day: str = await Author.objects.dates("born", "year")  # error
    await Author.objects.explain(analyze="x")  # error
    first: Author = await Author.objects.all().first()  # error
    for _ in await Author.objects.all():
        pass
    print(first, latest, day)
