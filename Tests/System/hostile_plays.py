"""What a hostile server does instead of answering: a table of plays, each with what `status` must show."""

import gzip
import threading

from hostile_server import Gone, answer, body


class Play:
    """`act(connection, key)` is the misbehaviour; the connection is closed after it, unless it `keeps` it.

    `at`: accept (before anything is read), request (after one was read), connect (by a proxy), or None (nothing is done to a
    connection itself, see `context` and `after`). `reason` is what the reason of the hold must match; None: the keys are registered
    anyway. `hold` is False where the daemon waits without a hold. `after`: bytes until a proxy's tunnel dies.
    """

    def __init__(self, name, act, reason=None, at="request", keeps=False, context=None, hold="outage", after=None):
        self.name, self.act, self.reason, self.at, self.hold = name, act, reason, at, hold
        self.ends, self.context, self.after = not keeps, context, after


LOST = "Connection lost"
SLOW = "Timed out"
NO_HTTP = "Not an HTTP answer"
NOT_CONFIRMED = "does not confirm the key"


def saying(data):
    """The same bytes as an answer."""
    return lambda connection, key: connection.send(data)


def confirming(make):
    """An answer that does confirm the key, in an unusual form."""

    def act(connection, key):
        connection.server.note_confirmed(key)
        connection.send(make(key))

    return act


def page(status, *fields):
    return answer(b"<html><body><h1>Please log in</h1> at portal.example</body></html>", status, "X-Page: 1", *fields)


def chunks(data, *sizes):
    """`data` in chunks, under the sizes that are claimed for them."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(size + b"\r\n" + data + b"\r\n" for size in sizes)


def half(connection, key):
    connection.send(answer(body(key))[:-20])
    connection.reset()


def lost(connection, key):
    """The key is registered, and the answer never comes."""
    connection.reset()


def wrong_length(difference, hangs=False):
    def act(connection, key):
        data = body(key)
        length = f"Content-Length: {len(data) + difference}"
        connection.send(f"HTTP/1.1 201 Created\r\n{length}\r\n\r\n".encode() + data)
        if hangs:
            connection.wait()

    return act


def half_closed(connection, key):
    connection.half_close()
    connection.wait()


def smuggled(connection, key):
    """An unrequested second answer, which confirms whatever comes next if its body is not read."""
    connection.send(answer(b"{}", "200 OK") + answer(body("00000000-0000-4000-8000-000000000000")))


def flooding(start, piece):
    def act(connection, key):
        connection.send(start)
        connection.flood(piece)

    return act


def trickling(connection, key):
    connection.trickle(answer(body(key)))


def trickling_body(connection, key):
    data = answer(body(key))
    connection.send(data[:-40])
    connection.trickle(data[-40:])


def closing_in_silence(delay):
    """A good answer that promises to keep the connection, which is closed a moment later."""

    def act(connection, key):
        connection.server.note_confirmed(key)
        connection.send(answer(body(key)))
        if delay:
            threading.Event().wait(delay)
        raise Gone

    return act


def in_the_open(make):
    """The body up to the end of the connection."""
    return confirming(lambda key: make + b"\r\n" + body(key))


HTTP = [
    Play("reset before the request is read", lambda c, k: c.reset(), LOST, at="accept"),
    Play("closed before the request is read", lambda c, k: None, LOST, at="accept"),
    Play("silence before the request is read", lambda c, k: c.wait(), SLOW, at="accept"),
    Play("an answer before the request is read", lambda c, k: c.send(answer(b"{}", "200 OK")), LOST + "|" + NOT_CONFIRMED,
         at="accept"),
    Play("reset after the request was read", lambda c, k: c.reset(), LOST),
    Play("closed after the request was read", lambda c, k: None, LOST),
    Play("half-closed", half_closed, LOST),
    Play("reset in the middle of the answer", half, LOST),
    Play("never answered", lambda c, k: c.wait(), SLOW),
    Play("a connection that is silent for good", lambda c, k: c.wait(for_good=True), SLOW),
    Play("a byte a second", trickling, SLOW),
    Play("a body of a byte a second", trickling_body, SLOW),
    Play("Content-Length too long, then closed", wrong_length(10), LOST),
    Play("Content-Length too long, then silence", wrong_length(10, hangs=True), SLOW),
    Play("Content-Length too short", wrong_length(-10), NOT_CONFIRMED),
    Play("Content-Length of nothing", saying(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), NOT_CONFIRMED, keeps=True),
    Play("Content-Length that is no number", saying(b"HTTP/1.1 201 Created\r\nContent-Length: many\r\n\r\n{}"),
         NO_HTTP + "|" + NOT_CONFIRMED + "|" + LOST),
    Play("Content-Length below zero", saying(b"HTTP/1.1 201 Created\r\nContent-Length: -5\r\n\r\n{}"),
         NO_HTTP + "|" + NOT_CONFIRMED + "|" + LOST),
    Play("two Content-Lengths", lambda c, k: c.send(
        b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + body(k)), NO_HTTP + "|" + NOT_CONFIRMED),
    Play("an answer that nobody asked for", smuggled, NOT_CONFIRMED, keeps=True),
    Play("an endless body", flooding(b"HTTP/1.1 201 Created\r\n\r\n", b"x" * 4096), NOT_CONFIRMED),
    Play("an endless body in chunks", flooding(
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"), NOT_CONFIRMED),
    Play("endless headers", flooding(b"HTTP/1.1 201 Created\r\n", b"X-Filler: " + b"y" * 90 + b"\r\n"), NO_HTTP),
    Play("an endless header line", flooding(b"HTTP/1.1 201 Created\r\nX-Filler: ", b"y" * 4096), NO_HTTP),
    Play("an endless status line", flooding(b"HTTP/1.1 201 ", b"Created " * 512), NO_HTTP),
    Play("endless interim answers", flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), NO_HTTP),
    Play("endless trailers", flooding(
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Filler: " + b"y" * 90 + b"\r\n"),
         NO_HTTP + "|" + SLOW),
    Play("chunks without a size", lambda c, k: c.send(chunks(body(k), b"zz")), LOST + "|" + NO_HTTP),
    Play("a chunk of a larger size", lambda c, k: c.send(chunks(body(k), b"ffffff")), LOST),
    Play("a chunk of a smaller size", lambda c, k: c.send(chunks(body(k), b"5", b"0")), LOST + "|" + NO_HTTP),
    Play("a chunk of 2^64 bytes", lambda c, k: c.send(chunks(body(k), b"fffffffffffffffff")), LOST + "|" + NO_HTTP),
    Play("a chunk below zero", lambda c, k: c.send(chunks(body(k), b"-5")), LOST + "|" + NO_HTTP),
    Play("chunks without an end", lambda c, k: c.send(chunks(body(k), b"%x" % len(body(k)))), LOST),
    Play("garbage before the status line", lambda c, k: c.send(b"\x00\xff\x1b[2J garbage\r\n" + answer(body(k))), NO_HTTP),
    Play("line ends before the status line", lambda c, k: c.send(b"\r\n\r\n" + answer(body(k))), NO_HTTP),
    Play("a body without a status line", lambda c, k: c.send(body(k)), NO_HTTP),
    Play("a status of one digit", lambda c, k: c.send(b"HTTP/1.1 2 Created\r\n\r\n" + body(k)), NO_HTTP),
    Play("a status of four digits", lambda c, k: c.send(b"HTTP/1.1 2010 Created\r\n\r\n" + body(k)), NO_HTTP),
    Play("HTTP/9.9", lambda c, k: c.send(b"HTTP/9.9 201 Created\r\n\r\n" + body(k)), NO_HTTP),
    Play("101 Switching Protocols", lambda c, k: c.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + answer(body(k))), "."),
    Play("only an interim answer", saying(b"HTTP/1.1 102 Processing\r\n\r\n"), LOST),
    Play("gzip that is cut", lambda c, k: c.send(
        answer(gzip.compress(body(k))[:-20], "201 Created", "Content-Encoding: gzip")), "."),
    Play("gzip that is none", lambda c, k: c.send(answer(body(k), "201 Created", "Content-Encoding: gzip")), "."),
    Play("an unknown coding", lambda c, k: c.send(
        answer(body(k)[::-1], "201 Created", "Content-Encoding: backwards")), "."),
    Play("a captive portal", saying(page("200 OK")), NOT_CONFIRMED, keeps=True),
    Play("a captive portal's 511", saying(page("511 Network Authentication Required")), "511.*log in", keeps=True),
    Play("204", saying(b"HTTP/1.1 204 No Content\r\n\r\n"), NOT_CONFIRMED, keeps=True),
    Play("201 for another key", saying(answer(body("00000000-0000-4000-8000-000000000001"))), NOT_CONFIRMED, keeps=True),
    Play("a gateway's 502", saying(page("502 Bad Gateway")), "502", keeps=True),
    Play("a gateway's 403", saying(page("403 Forbidden")), "403.*log in", keeps=True),
    Play("a gateway's 404", saying(page("404 Not Found")), "404.*log in", keeps=True),
    Play("a gateway's 407", saying(page("407 Proxy Authentication Required", "Proxy-Authenticate: Basic")), "407", keeps=True),
    Play("a gateway's 426", saying(page("426 Upgrade Required", "Upgrade: h2c")), "426", keeps=True),
    Play("a status of 999", saying(page("999 Request denied")), "999", keeps=True),
    # Unusual but acceptable.
    Play("interim answers first", confirming(
        lambda k: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(body(k))), keeps=True),
    Play("gzip", confirming(lambda k: answer(gzip.compress(body(k)), "201 Created", "Content-Encoding: gzip")), keeps=True),
    Play("HTTP/1.0", in_the_open(b"HTTP/1.0 201 Created\r\nContent-Type: application/json\r\n")),
    Play("no length at all", in_the_open(b"HTTP/1.1 201 Created\r\n")),
    Play("bare line feeds", confirming(lambda k: answer(body(k)).replace(b"\r\n", b"\n"))),
    Play("a kept connection is closed at once", closing_in_silence(0)),
    Play("a kept connection is closed after 1 ms", closing_in_silence(0.001)),
    Play("a kept connection is closed after 20 ms", closing_in_silence(0.02)),
    Play("chunks of one byte", confirming(lambda k: chunks(b"", *[
        b"1\r\n" + bytes([byte]) for byte in body(k)])[:-2].replace(b"\r\n\r\n1", b"\r\n1").replace(
            b"chunked\r\n1", b"chunked\r\n\r\n1") + b"0\r\n\r\n"), keeps=True),
]


def elsewhere(other):
    """Redirects to another host, which must see nothing."""
    return [
        Play(f"{status} to another host", saying(page(f"{status} Moved", f"Location: {target}")), "redirects are never followed",
             keeps=True)
        for status, target in [
            (301, f"http://{other}/api"), (302, f"//{other}/"), (303, f"http://u:p@{other}/"), (307, f"http://{other}/api/v2"),
            (308, f"http://{other}/"), (300, f"http://{other}/"), (302, "file:///etc/passwd"), (302, "/elsewhere")]
    ] + [
        Play("200 with Refresh", saying(page("200 OK", f"Refresh: 0; url=http://{other}/")), NOT_CONFIRMED, keeps=True),
        Play("201 with Location", saying(page("201 Created", f"Location: http://{other}/")), NOT_CONFIRMED, keeps=True),
    ]


THROTTLE = Play("429 as HTML", saying(page("429 Too Many Requests")), keeps=True, hold=None, reason="rate limit|429|limit")


def tls(authority):
    """A server other than the intended one, or no TLS at all."""
    refused = "TLS refused"
    return [
        Play("expired", None, refused + ".*expired", at=None, context=authority.context("expired")),
        Play("another host's certificate", None, refused + ".*(match|host)", at=None, context=authority.context("host")),
        Play("self-signed", None, refused + ".*self.signed", at=None, context=authority.context("self")),
        Play("reset in the handshake", lambda c, k: (c.raw.recv(100), c.reset()), LOST, at="accept"),
        Play("silence in the handshake", lambda c, k: c.wait(), SLOW, at="accept"),
        Play("plain HTTP where TLS was meant", lambda c, k: (c.raw.recv(65536), c.send(page("400 Bad Request"))), "TLS|SSL|" + LOST,
             at="accept"),
        Play("garbage in the handshake", lambda c, k: (c.raw.recv(65536), c.send(b"\x16\x03\x03\x00\x05hello" * 9)),
             "TLS|SSL|" + LOST, at="accept"),
        Play("a TLS alert", lambda c, k: (c.raw.recv(65536), c.send(b"\x15\x03\x03\x00\x02\x02\x28")), "TLS|SSL|" + LOST,
             at="accept"),
        Play("the tunnel is cut off without a farewell", half, LOST),
    ]


def proxy():
    """A proxy that is asked to CONNECT."""
    refused = "Proxy refused"

    def says(data):
        return lambda c, k: c.send(data)

    lost = LOST + "|" + refused
    return [
        Play("the proxy resets", lambda c, k: c.reset(), lost, at="accept"),
        Play("the proxy hangs up", lambda c, k: None, lost, at="connect"),
        Play("the proxy is silent", lambda c, k: c.wait(), SLOW + "|" + refused, at="connect"),
        Play("the proxy's 407", says(page("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=x")), "407|" + refused,
             at="connect"),
        Play("the proxy's 502", says(page("502 Bad Gateway")), "502|" + refused, at="connect"),
        Play("the proxy speaks nonsense", says(b"220 mail.example ESMTP\r\n\r\n"), NO_HTTP + "|" + lost, at="connect"),
        Play("the proxy answers itself", says(answer(b'{"data":{"id":"x"}}')), lost + "|TLS", at="connect"),
        Play("the tunnel dies in the handshake", None, LOST + "|TLS", at=None, after=50),
        Play("the tunnel dies with the request", None, LOST + "|TLS", at=None, after=600),
    ]
