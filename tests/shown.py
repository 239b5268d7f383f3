"""Forms as a browser has them: what a page says is sent, not what a test believes."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    """What a browser would send of the form in the main part of a page."""

    def __init__(self):
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.select = self.textarea = ""
        self.is_main = False

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        self.is_main = self.is_main or tag == "main"
        if not self.is_main:
            return
        if tag == "input" and (found.get("type") not in {"checkbox", "radio"} or "checked" in found):
            self.add(name, value or ("on" if found.get("type") == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in found:
            self.add(self.select, value)
        elif tag == "textarea":
            self.textarea = name
            self.add(name, "")

    def handle_data(self, data):
        if self.textarea:
            self.sent[self.textarea] = [data.removeprefix("\n")]

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.textarea = ""

    def add(self, name, value):
        self.sent.setdefault(name, []).append(value)


def as_shown(response) -> dict[str, list[str]]:
    """What a browser sends when somebody opens this form and presses the button."""
    parser = _Fields()
    parser.feed(response.content.decode())
    return parser.sent
