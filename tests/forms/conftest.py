"""Forms as HTML, read by a parser, so that tests speak of elements and not of text."""

from html.parser import HTMLParser

import pytest

VOID = {"input", "br"}


class Element:
    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.text, self.children = tag, attributes, "", []

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(str(html))
        assert not self.open, f"not closed: {[element.tag for element in self.open]}"
        ids = [element["id"] for element in self.elements if element.get("id")]
        assert len(ids) == len(set(ids)), f"an id twice: {ids}"

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"an attribute twice: {attrs}"
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        for parent in self.open:
            parent.children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for element in self.open:
            element.text += data

    def all(self, tag, **attributes):
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element.get(key) == value for key, value in attributes.items())
        ]

    def one(self, tag, **attributes):
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def by_id(self, id):
        return next((element for element in self.elements if element.get("id") == id), None)


@pytest.fixture
def parse():
    return Page
