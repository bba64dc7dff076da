"""A form as a page showed it to somebody, filled in and sent later, as a browser does."""

from html.parser import HTMLParser


class OpenedForm(HTMLParser):
    """The form of a page that has a field of this name, with what stands in it."""

    def __init__(self, client, path, having):
        super().__init__()
        self.client, self.path, self.having = client, path, having
        self.forms, self.select, self.area = [], "", ""
        self.feed(client.get(path).content.decode())
        [self.fields] = [form for form in self.forms if having in form]

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        name, kind = told.get("name", ""), told.get("type")
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self.select = name
        elif tag == "textarea":
            self.area = name
        elif tag == "option" and self.select:
            values = self.forms[-1].setdefault(self.select, [])
            if not values or "selected" in told:
                values[:] = [told.get("value", "")]
        elif tag == "input" and name and self.forms:
            values = self.forms[-1].setdefault(name, [])
            if kind not in ("checkbox", "radio") or "checked" in told:
                values.append(told.get("value", ""))

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""

    def handle_data(self, data):
        if self.area:
            self.forms[-1].setdefault(self.area, []).append(data.removeprefix("\n"))

    def send(self, path="", **typed):
        """Send it with what is typed in place of what stood there; [] unticks a box."""
        return self.client.post(path or self.path, {**self.fields, **typed})
