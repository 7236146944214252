"""Hostile requests: what is sent, byte by byte, and what must be answered. `hostile_socket_check.py` sends them."""

import json
import socket
from dataclasses import dataclass


@dataclass
class Answer:
    status: int = 0
    fields: dict = None
    body: bytes = b""
    # The connection was closed after it.
    is_end: bool = False

    @property
    def code(self):
        """The error document's code; empty without a document."""
        try:
            return json.loads(self.body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return ""


class Wire:
    """One connection, over a Unix socket (a path) or TCP (a port)."""

    def __init__(self, address, timeout=10, buffer=None):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        # With a time limit, a connection that cannot be made at once is refused.
        self.socket.connect(address if isinstance(address, str) else ("127.0.0.1", address))
        self.socket.settimeout(timeout)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has closed."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def fill(self):
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionError:
            piece = b""
        self.data += piece
        return bool(piece)

    def answer(self, has_body=True):
        """The next answer; its status is 0 if the connection ends without one."""
        while b"\r\n\r\n" not in self.data:
            if not self.fill():
                return Answer(is_end=True)
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        answer = Answer(int(first.split()[1]), fields)
        if answer.status >= 200 and has_body:
            answer.body = self.chunks() if "transfer-encoding" in fields else self.exactly(int(fields["content-length"]))
        return answer

    def exactly(self, count):
        while len(self.data) < count:
            if not self.fill():
                break
        body, self.data = self.data[:count], self.data[count:]
        return body

    def chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.data:
                if not self.fill():
                    return body
            size, _, self.data = self.data.partition(b"\r\n")
            piece = self.exactly(int(size, 16) + 2)[:-2]
            if not piece:
                return body
            body += piece

    def ends_now(self):
        """As `ends`, without waiting."""
        self.socket.settimeout(0.001)
        return self.ends()

    def ends(self):
        """Whether the other side closes the connection, after whatever it sends."""
        try:
            while self.fill():
                pass
            return True
        except (TimeoutError, BlockingIOError):
            return False


GET = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n"
BAD = (400, "bad_request")


def requests(is_tcp):
    """Name, bytes, and (status, code of the error document); a status of None stands for an end without an answer."""
    post = (405, "method_not_allowed") if is_tcp else None

    def list_(query, body=b"x"):
        return b"POST /v1/lists?" + query + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    yield "garbage", b"\x00\xff\x10garbage\r\n\r\n", BAD
    yield "a TLS client", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), BAD
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD
    yield "HTTP/9.9", b"GET /v1/status HTTP/9.9\r\n\r\n", BAD
    yield "HTTP/0.9", b"GET /v1/status\r\n\r\n", BAD
    yield "an SSH client", b"SSH-2.0-OpenSSH_9.2p1\r\n", BAD
    yield "no target", b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD
    yield "an unknown method", GET.replace(b"GET", b"BREW", 1) + b"\r\n", BAD
    yield "a line of 100,000 bytes", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", BAD
    yield "a field of 20,000 bytes", GET + b"X: " + b"x" * 20_000 + b"\r\n\r\n", BAD
    yield "10,000 fields", GET + b"X: y\r\n" * 10_000 + b"\r\n", BAD
    yield "a query of 12,000 bytes", b"GET /v1/lists?x=" + b"%41" * 4_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD
    yield "a query of 1,000 parameters", b"GET /v1/lists?" + b"a=b&" * 1_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD
    yield "a blank before the colon", GET + b"X : y\r\n\r\n", BAD
    yield "a folded field", GET + b"X: y\r\n z\r\n\r\n", BAD
    yield "a NUL in a field", GET + b"X: a\x00b\r\n\r\n", BAD
    yield "a lone CR in a field", GET + b"X: a\rSet-Cookie: b\r\n\r\n", BAD
    yield "two hosts", GET + b"Host: evil.example\r\n\r\n", (200, "")
    yield "a length and chunks", GET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD
    yield "two lengths", GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", BAD
    yield "a negative length", GET + b"Content-Length: -1\r\n\r\n", BAD
    yield "a length with a sign", GET + b"Content-Length: +1\r\n\r\nx", BAD
    yield "a length of 30 digits", GET + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", BAD
    yield "a body that nobody wants", GET + b"Content-Length: 5\r\n\r\nhello", (200, "")
    chunked = b"POST /v1/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield "a chunk that is no number", chunked + b"zz\r\nabc\r\n0\r\n\r\n", post or BAD
    yield "a chunk of 2^64 bytes", chunked + b"ffffffffffffffffff\r\nabc", post or BAD
    yield "a negative chunk", chunked + b"-1\r\nabc", post or BAD
    yield "a coding that nobody reads", GET + b"Transfer-Encoding: gzip\r\n\r\n", (200, "")
    yield "a target with CR and LF", b"GET /v1/lists/a\r\nSet-Cookie:b HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD
    yield "HTTP/1.0", b"GET /v1/status HTTP/1.0\r\nHost: localhost\r\n\r\n", (200, "")
    yield "no host", b"GET /v1/status HTTP/1.1\r\n\r\n", (421, "misdirected") if is_tcp else (200, "")
    yield "another host", b"GET /v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n", (421, "misdirected") if is_tcp else (200, "")
    yield "an absolute target", b"GET http://evil.example/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", (200, "")
    yield "a proxy's request", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", post or (404, "not_found")
    yield "OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", post or (404, "not_found")
    for path in (b"/../../etc/passwd", b"/v1/lists/../../../etc/passwd", b"/v1/../v1/status", b"/v1/status/.", b"/v1\\status"):
        yield path.decode(), b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (404, "not_found")
    for name in (b"..", b".", b"..%2f..%2f..%2fetc%2fpasswd", b"%2e%2e%2fstatus", b"a%0d%0aSet-Cookie:%20b=c", b"%1b[31m",
                 b"x" * 9_000):
        yield ("a list " + name[:40].decode(), b"GET /v1/lists/" + name + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
               (404, "not_found"))
    for name in (b"%00", b"%ff", b"%c0%ae", b"%zz", b"%"):
        yield "a list " + name.decode(), b"GET /v1/lists/" + name + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD
    for name in (b"..", b"..%2f..%2foutside", b"%2fetc%2fpasswd", b"a%2fb", b"a%0d%0ab", b".hidden", b"x" * 300, b"x.tmp",
                 b"a.receipt.json", b"~%24x", b"%1b]0;x%07", b"%e2%80%aex", b"name%3D" + b"0123456789abcdef" * 2):
        yield "to submit " + name[:40].decode(), list_(b"name=" + name), post or BAD
    yield "to submit what is no list", list_(b"name=bad"), post or (422, "unprocessable")
    yield "to submit nothing", list_(b"name=none", b""), post or (422, "unprocessable")
    yield "to submit with a flag that is none", list_(b"name=a&force=maybe"), post or BAD
    yield "to submit twice the same parameter", list_(b"name=a&name=b"), post or BAD
    yield "more than max_file_size", list_(b"name=a").replace(b"Length: 1", b"Length: 99999999999"), post or (413, "too_large")
    yield "a length that is none of a list", list_(b"name=a").replace(b"Length: 1", b"Length: 1, 1"), BAD
    retry = b"POST /v1/retry HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    yield "JSON 100,000 deep", retry + b"100000\r\n\r\n" + b"[" * 100_000, post or BAD
    yield "a command that is not JSON", retry + b"3\r\n\r\n\x00\x01\xff", post or BAD
    yield "a command of 5 MiB", retry + b"5242880\r\n\r\n", post or (413, "too_large")
    yield "an expectation for nothing", GET + b"Expect: 100-continue\r\n\r\n", (200, "")
    yield "another expectation", GET + b"Expect: 200-maybe\r\n\r\n", (200, "")
