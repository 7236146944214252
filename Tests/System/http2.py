"""As much of HTTP/2 as a misbehaving server needs that answers one request at a time.

Header blocks are decoded by the nghttp2 library, which comes with libcurl.
"""

import ctypes
import struct

from hostile_plays import LOST, NOT_CONFIRMED, SLOW, Play
from hostile_server import PATH, Gone, body

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.POINTER(ctypes.c_char)), ("value", ctypes.POINTER(ctypes.c_char)), ("namelen", ctypes.c_size_t),
                ("valuelen", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Inflater:
    """The header blocks of one connection, in order."""

    def __init__(self):
        self.library = ctypes.CDLL("libnghttp2.so.14")
        self.library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.state = ctypes.c_void_p()
        assert self.library.nghttp2_hd_inflate_new(ctypes.byref(self.state)) == 0

    def fields(self, block):
        fields, place = {}, 0
        while True:
            pair, flags = Pair(), ctypes.c_int(0)
            taken = self.library.nghttp2_hd_inflate_hd2(
                self.state, ctypes.byref(pair), ctypes.byref(flags), ctypes.c_char_p(block[place:]),
                ctypes.c_size_t(len(block) - place), 1)
            if taken < 0:
                raise ValueError(taken)
            place += taken
            if flags.value & 2:
                fields[pair.name[:pair.namelen]] = pair.value[:pair.valuelen]
            if flags.value & 1:
                self.library.nghttp2_hd_inflate_end_headers(self.state)
                return fields

    def close(self):
        self.library.nghttp2_hd_inflate_del(self.state)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def status(number):
    return b"\x08\x03" + str(number).encode()


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def head(stream, number=201, flags=END_HEADERS, more=b""):
    return frame(HEADERS, flags, stream, status(number) + more)


def good(stream, key):
    return head(stream) + frame(DATA, END_STREAM, stream, body(key))


def goaway(last, code=0):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


def rst(stream, code):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def serve(server, connection):
    """Reads requests; the answer is good, or what the server's play makes of it (`act(connection, key)`, with the number of the
    stream in `connection.stream`)."""
    inflater = Inflater()
    try:
        connection.send(frame(SETTINGS, 0, 0))
        if connection.read(len(PREFACE)) != PREFACE:
            raise Gone
        while True:
            size = connection.read(9)
            kind, flags, stream = size[3], size[4], struct.unpack(">I", size[5:])[0]
            payload = connection.read(int.from_bytes(size[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                connection.send(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                connection.send(frame(PING, ACK, 0, payload))
            elif kind == HEADERS:
                # Without the bytes of a priority.
                match = PATH.search(inflater.fields(payload[5:] if flags & 0x20 else payload).get(b":path", b""))
                key = match.group(1).decode() if match else ""
                connection.stream = stream
                if not server.answer(connection, key, lambda: connection.send(good(stream, key))):
                    return
    finally:
        inflater.close()


def sending(make):
    return lambda connection, key: connection.send(make(connection.stream, key))


def confirming(make):
    def act(connection, key):
        connection.server.note_confirmed(key)
        connection.send(make(connection.stream, key))

    return act


def leaving(make):
    """Confirms, and hangs up only when the other side has: what it sends meanwhile would reset the connection, and the answer with it."""

    def act(connection, key):
        confirming(make)(connection, key)
        connection.half_close()
        connection.wait()

    return act


def flooding(start, piece):
    def act(connection, key):
        connection.send(start(connection.stream, key))
        connection.flood(piece(connection.stream))

    return act


def then_silence(make):
    def act(connection, key):
        connection.send(make(connection.stream, key))
        connection.wait()

    return act


ANY = f"{LOST}|Not an HTTP answer|{NOT_CONFIRMED}"
HTTP2 = [
    Play("GOAWAY instead of an answer", sending(lambda s, k: goaway(0)), LOST),
    Play("GOAWAY with an error", sending(lambda s, k: goaway(s, 2)), LOST),
    Play("GOAWAY and silence", then_silence(lambda s, k: goaway(0)), LOST + "|" + SLOW),
    Play("GOAWAY in the middle of the body", sending(
        lambda s, k: head(s) + frame(DATA, 0, s, body(k)[:20]) + goaway(s)), LOST),
    Play("RST_STREAM: refused", sending(lambda s, k: rst(s, 7)), LOST, keeps=True),
    Play("RST_STREAM: cancelled", sending(lambda s, k: rst(s, 8)), LOST, keeps=True),
    Play("RST_STREAM: no error, in the middle of the body", sending(
        lambda s, k: head(s) + frame(DATA, 0, s, body(k)[:20]) + rst(s, 0)), ANY, keeps=True),
    Play("RST_STREAM: HTTP/1.1 required", sending(lambda s, k: rst(s, 13)), ANY, keeps=True),
    Play("never answered over HTTP/2", lambda c, k: c.wait(), SLOW),
    Play("a connection that is silent for good, over HTTP/2", lambda c, k: c.wait(for_good=True), SLOW),
    Play("closed in the middle of a frame", sending(lambda s, k: good(s, k)[:-10]), LOST),
    Play("the stream ends early", sending(lambda s, k: head(s) + frame(DATA, END_STREAM, s, body(k)[:20])), NOT_CONFIRMED, keeps=True),
    Play("the stream ends without a body", sending(lambda s, k: head(s, flags=END_HEADERS | END_STREAM)), NOT_CONFIRMED, keeps=True),
    Play("the stream does not end", then_silence(lambda s, k: head(s) + frame(DATA, 0, s, body(k))), SLOW),
    Play("another content-length", sending(lambda s, k: head(s, more=b"\x0f\x0d\x0244") + frame(DATA, END_STREAM, s, body(k))), ANY),
    Play("a header block that cannot be read", sending(lambda s, k: frame(HEADERS, END_HEADERS, s, b"\xff\xff\xff\xff\xff\x0f")), LOST),
    Play("an answer without a status", sending(lambda s, k: frame(HEADERS, END_HEADERS, s, literal(b"x", b"y"))), ANY),
    Play("a frame that is too large", sending(lambda s, k: frame(DATA, 0, s, b"x" * 20_000)), LOST),
    Play("a frame of a stream that there is not", sending(lambda s, k: frame(DATA, END_STREAM, s + 40, body(k))), LOST),
    Play("a pushed answer", sending(lambda s, k: frame(PUSH_PROMISE, END_HEADERS, s, struct.pack(">I", 2) + status(200))), LOST),
    Play("endless continuations", flooding(
        lambda s, k: frame(HEADERS, 0, s, status(201)), lambda s: frame(CONTINUATION, 0, s, literal(b"x", b"y" * 100) * 9)), ANY),
    Play("an endless body over HTTP/2", flooding(lambda s, k: head(s), lambda s: frame(DATA, 0, s, b"x" * 4096)),
         NOT_CONFIRMED + "|" + SLOW),
    Play("endless settings", flooding(lambda s, k: b"", lambda s: frame(SETTINGS, 0, 0)), LOST + "|" + SLOW),
    Play("endless pings", flooding(lambda s, k: b"", lambda s: frame(PING, 0, 0, b"12345678")), LOST + "|" + SLOW),
    Play("interim answers over HTTP/2", confirming(lambda s, k: head(s, 103) + good(s, k)), keeps=True),
    Play("GOAWAY beside the answer", leaving(lambda s, k: goaway(s) + good(s, k))),
    Play("GOAWAY after the answer", leaving(lambda s, k: good(s, k) + goaway(s))),
    Play("unknown frames", confirming(lambda s, k: frame(0x77, 0, 0, b"x" * 50) + good(s, k)), keeps=True),
]
