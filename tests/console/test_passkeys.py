"""Passkeys in a real browser with a virtual authenticator, under our policy of scripts."""

from playwright.sync_api import sync_playwright

from tests.console.test_browser import EMAIL, PASSWORD, address

__all__ = ["address"]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def test_a_passkey_is_added_and_signs_in_alone(address):
    here = address.replace("127.0.0.1", "localhost")
    blocked = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(locale="en-GB")
        page.on("console", lambda said: blocked.append(said.text))
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.goto(f"{here}/sign-in/?next=/account/")
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Name").fill("Boardroom key")
        page.get_by_role("button", name="Add the passkey").click()
        page.get_by_role("heading", name="Recovery codes").wait_for()
        page.goto(f"{here}/account/")
        page.get_by_text("Boardroom key").first.wait_for()
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.goto(f"{here}/sign-in/?next=/account/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_role("heading", name="Your account").wait_for()
        page.get_by_text("last used").wait_for()
        browser.close()
    assert blocked == []


def test_a_passkey_is_added_by_enter_has_a_name_of_a_length_and_says_so_when_it_is_gone(address):
    here = address.replace("127.0.0.1", "localhost")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(locale="en-GB")
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.goto(f"{here}/sign-in/?next=/account/passkeys/add/")
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Name").fill("Boardroom key")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Recovery codes").wait_for()
        page.goto(f"{here}/account/")
        page.get_by_role("link", name="Rename").click()
        page.get_by_label("Name").evaluate(
            "one => { one.maxLength = 999; one.value += 'x'.repeat(200) }"
        )
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Ensure this value has at most 128 characters").wait_for()
        page.goto(f"{here}/account/")
        page.get_by_role("link", name="Remove").click()
        page.get_by_role("button", name="Remove").click()
        page.get_by_text("The passkey was removed.").wait_for()
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        page.goto(f"{here}/sign-in/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_text("This passkey is not known here").wait_for()
        browser.close()
