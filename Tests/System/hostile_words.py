"""Secrets, texts that a terminal, a spreadsheet or a browser obeys, and answers with all of it."""

import base64
import json

from hostile_server import answer, body

# What a terminal obeys, what a spreadsheet runs, and what a browser does.
ESCAPES = "\x1b[31mPWN\x1b]0;PWN\x07 \x9b31mPWN\r\n2026-01-01T00:00:00Z error PWN\n\u202eNWP\u2066\u200f\u2028\u2029\ufeff\x7f\b\x00PWN"
FORMULAS = ["=1+1|PWN", "+1|PWN", "-1|PWN", "@PWN", "\t=PWN", "\uff1dPWN", " =PWN", "\r=PWN"]
TAGS = "<script>PWN</script><img src=PWN onerror=PWN>\"'&lt;"


class Secrets:
    def __init__(self, draw, usual):
        def text(length, letters):
            return "".join(draw.choice(letters) for _ in range(length))

        digits = "0123456789abcdef"
        letters = "ghijkmnpqrstuvwxyzGHJKLMNPQRSTUVWXYZ23456789"
        self.api = text(32, digits) if usual else text(20, letters) + "/" + text(9, letters)
        self.app = text(40, digits) if usual else text(24, letters) + "+" + text(9, letters)
        self.password = text(18, letters)
        self.proxy = f"agent:{self.password}"
        self.sent = base64.b64encode(self.proxy.encode()).decode()
        self.listed = [text(32, digits), text(40, digits), "ddapp_" + text(34, letters), "ddpat_" + text(30, letters)]
        self.assigned = [text(16, letters), text(20, letters)]
        self.needles = {
            "API key": self.api, "application key": self.app, "proxy's password": self.password,
            "proxy's credentials": self.sent,
            **{f"secret {n + 1} in a list": word for n, word in enumerate(self.listed + self.assigned)}}

    def found(self, data):
        """The secrets in some bytes, or halves of them: their names and places."""
        data = data.lower()
        found = []
        for name, word in self.needles.items():
            word = word.encode().lower()
            place = max(data.find(word[:12]), data.find(word[-12:]))
            if place >= 0:
                found.append((name, place))
        return found


def unicode_escaped(text):
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def echoes(s):
    """Answers that repeat the secrets of `s`, and foreign text of every other kind."""
    both = f"DD-API-KEY: {s.api}, DD-APPLICATION-KEY: {s.app}, Proxy-Authorization: Basic {s.sent}"
    listed = " ".join(s.listed)

    def error(status, title, detail, *fields):
        return answer(json.dumps({"errors": [{"title": title, "detail": detail}]}).encode(), status, *fields)

    return [
        error("400 Bad Request", f"bad key {s.api}", f"refused: {s.app}{s.api} at https://{s.proxy}@proxy.example/x"),
        answer(f'{{"errors":["{unicode_escaped(s.api)} unknown {unicode_escaped(s.app)}"]}}'.encode(), "422 Unprocessable Content"),
        answer(json.dumps({"errors": [listed + " are keys"]}).encode(), "409 Conflict"),
        answer(json.dumps({"message": both}).encode(), "500 Internal Server Error"),
        answer(json.dumps({s.api: {"x": [s.app]}}).encode(), "500 Internal Server Error"),
        answer(json.dumps({"y": s.app}).replace("/", "\\/").encode(), "500 Internal Server Error"),
        answer(f"<html><a href='?k={s.api}'>{s.app}</a><pre>{both}</pre></html>".encode(), "502 Bad Gateway"),
        answer(f"<b>{s.api[:10]}<i>".encode() + b"x" * 180 + s.api.encode(), "502 Bad Gateway"),
        *[answer(b"y" * n + b" " + s.api.encode() + b" " + s.app.encode(), "503 Service Unavailable") for n in
          (190, 475, 485, 495, 4070, 4085)],
        answer(both.encode(), f"503 {s.api}", f"Retry-After: {s.api}"),
        answer(b"", "302 Found", f"Location: https://{s.api}:{s.app}@other.example/{s.api}?api_key={s.app}"),
        answer(b"{}", "200 OK", f"Set-Cookie: {s.api}"),
        error("500 Internal Server Error", ESCAPES, TAGS + ESCAPES),
        answer(ESCAPES.encode() + b"\xff\xfe\xed\xa0\x80", "500 \x1b[31mPWN"),
        answer(b'{"errors":["\\ud800 \\u001b[31mPWN \\u202eNWP"]}', "500 Internal Server Error"),
        answer(b"", "302 Found", "Location: https://other.example/\x1b[31mPWN\u202e"),
    ] + [error("422 Unprocessable Content", formula, formula + " PWN,\"PWN\"") for formula in FORMULAS] + [
        error("410 Gone", TAGS, TAGS + ESCAPES),
        error("403 Forbidden", f"Forbidden {s.api}", both)]


def confirmed(s, key):
    """A good answer whose headers repeat the secrets."""
    fields = [
        f"X-RateLimit-Name: {s.api}", "X-RateLimit-Limit: 1000", "X-RateLimit-Period: 1", "X-RateLimit-Remaining: 900",
        "X-RateLimit-Reset: 1", f"Via: 1.1 {s.app}", f"X-DD-Debug: {s.api} \x1b[31mPWN", f"X-DD-Version: {s.app}",
        f"DD-Pool: {s.proxy}", f"X-{s.app}: {s.api}"]
    return answer(body(key), "201 Created", *fields)
