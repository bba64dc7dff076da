"""Every page as somebody reads it whose browser asks for German: no English is left on it."""

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.crawl import visited_pages
from tests.browser.world import World

START = {"admin": ("/organisations/", "/"), "operator": ("/operator/", "/operator/")}
LEAST = {"admin": 40, "operator": 20}
ENGLISH = re.compile(
    r"(?<![\w.])(the|of|is|not|with|your|are|this|that|has|have|from|been|which|and|or|to|by|for|be|it|its"
    r"|cannot|must|without|there|each|every|call|calls|minutes|balance|payment|amount|charged|paid"
    r"|refunded|mobile|credits|domestic|licence|number|country|ahead|ending)(?![\w.]\w)(?!\w)"
)
TYPED = ("a gift to try the demo with", "the demo's first purchase", "the demo's own rates")
"""What people of the demo have written."""
SAME = re.compile(r"Isle of Man|\b[A-Z]{2,}\b|[A-Z]\w+/[\w /-]+")
"""What is called so in German too; codes, time zones."""
TEXTS = """() => {
  const found = [];
  const german = (element) => !element.closest('[lang]:not(html), code, pre, script, style, kbd');
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const text = nodes.currentNode.textContent.trim();
    if (text && german(nodes.currentNode.parentElement)) found.push(text);
  }
  for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'data-label'])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (german(element)) found.push(element.getAttribute(name));
  return found;
}"""
PHONE = {"width": 360, "height": 740}
BROKEN = r"""() => {
  const found = [], range = document.createRange();
  const tops = (node, from, to) => {
    const all = new Set();
    for (let at = from; at < to; at++) {
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      for (const rect of range.getClientRects()) all.add(Math.round(rect.top));
    }
    return all.size;
  };
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const node = nodes.currentNode, element = node.parentElement;
    if (!element.checkVisibility() || element.closest('.hidden, thead, code, pre, select, script'))
      continue;
    for (const word of node.textContent.matchAll(/(?<![\p{L}_])\p{Lu}?\p{Ll}{3,23}(?![\p{L}_])/gu))
      if (tops(node, word.index, word.index + word[0].length) > 1) found.push(word[0]);
  }
  return found;
}"""
"""Words, of up to 24 letters, that go on in another line: no hyphen says so, for a browser may have
no German dictionary."""

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("who", START)
def test_no_english_is_left_in_german_and_a_phone_breaks_no_word(
    world: World, chromium: Browser, who: str
) -> None:
    context = chromium.new_context(locale="de-DE", viewport=PHONE)
    page = context.new_page()
    page.goto(f"{world.address}/sign-in/")
    assert page.locator("html").get_attribute("lang") == "de"
    page.locator("input[type=email]").fill(world.facts[f"{who}_email"])
    page.locator("input[type=password]").fill(world.facts[f"{who}_password"])
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.get_by_role("button", name="Abmelden").wait_for(state="attached")
    left: dict[str, str] = {}
    broken: dict[str, str] = {}
    names = []
    for name, _path in visited_pages(page, world.address, *START[who]):
        names.append(name)
        broken |= dict.fromkeys(page.evaluate(BROKEN), name)
        for text in page.evaluate(TEXTS):
            if ENGLISH.search(SAME.sub("", text).lower()) and text not in TYPED:
                left.setdefault(text, name)
    context.close()
    assert left == {}
    assert broken == {}
    assert len(names) >= LEAST[who]
