"""As much of curl as the documentation's examples use, for machines without it.

like_curl.py [-s] [-i] [-X METHOD] [-H HEADER]... [-d BODY] URL
"""

import sys
import urllib.error
import urllib.request


def main(words: list[str]) -> None:
    """Make one request and print the answer."""
    shown, method, headers, body, url = False, "", {}, None, ""
    left = iter(words)
    for word in left:
        if word in ("-s", "-si", "-i"):
            shown |= "i" in word
        elif word == "-X":
            method = next(left)
        elif word == "-H":
            name, _, value = next(left).partition(":")
            headers[name] = value.strip()
        elif word == "-d":
            body = next(left).encode()
        elif word.startswith("-"):
            sys.exit(f"{word} is not known here")
        else:
            url = word
    asked = urllib.request.Request(url, data=body, headers=headers, method=method or None)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(asked)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        if shown:
            sys.stdout.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n")
            sys.stdout.writelines(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            sys.stdout.write("\r\n")
        sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    main(sys.argv[1:])
