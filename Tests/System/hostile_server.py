"""A registration API, and a proxy, that can be told to misbehave, and a record of every request that reached them.

A server's misbehaviour is a *play* (`hostile_plays.py`); None is good behaviour. `heal()` ends a play and whatever hangs in it.
"""

import collections
import json
import os
import re
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

PATH = re.compile(rb"/api/v2/actions/app_key_registrations/([-0-9a-f]{36})")


class Gone(Exception):
    """The other side has hung up, or the play is over."""


def body(key):
    return json.dumps({"data": {"id": key, "type": "app_key_registration"}}).encode()


def answer(data, status="201 Created", *fields):
    head = ["HTTP/1.1 " + status, "Content-Type: application/json", f"Content-Length: {len(data)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


class Connection:
    """One accepted connection, on a thread of its own."""

    def __init__(self, server, raw):
        self.server, self.raw, self.socket = server, raw, raw
        self.rest = b""
        self.head = b""  # of the last request

    def read_head(self):
        while b"\r\n\r\n" not in self.rest:
            piece = self.socket.recv(65536)
            if not piece:
                raise Gone
            self.rest += piece
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head

    def read(self, count):
        while len(self.rest) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise Gone
            self.rest += piece
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def send(self, data):
        self.socket.sendall(data)

    def trickle(self, data, seconds=1.0):
        """Sends a byte at a time, `seconds` apart."""
        for byte in data:
            self.send(bytes([byte]))
            self.wait(seconds)

    def flood(self, piece):
        """Sends the same bytes until healed."""
        while not self.server.healed.is_set():
            self.send(piece)
        raise Gone

    def wait(self, seconds=3_600.0, for_good=False):
        """Waits until the other side hangs up, the time is up or, unless `for_good`, the play ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.server.healed.is_set() and not for_good:
                raise Gone
            readable, _, _ = select.select([self.raw], [], [], min(0.1, max(0, end - time.monotonic())))
            # Received bytes are discarded, so that the end is noticed.
            if readable and not self.raw.recv(65536):
                raise Gone

    def close(self):
        raise Gone

    def half_close(self):
        self.raw.shutdown(socket.SHUT_WR)

    def reset(self):
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


class Listener:
    """Accepts connections on a port of 127.0.0.1 that stays its own."""

    def __init__(self, host="127.0.0.1"):
        self.host, self.port = host, 0
        self.play, self.grace = None, 0
        self.healed = threading.Event()
        self.lock = threading.Lock()
        self.connections = set()
        self.accepted = 0
        self.plays = 0
        self.socket = None
        self.listen()

    def listen(self):
        self.socket = socket.create_server((self.host, self.port), backlog=128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.socket,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.accepted += 1
                self.connections.add(raw)
            threading.Thread(target=self.run, args=(raw,), daemon=True).start()

    def run(self, raw):
        connection = Connection(self, raw)
        try:
            self.serve(connection)
        except (Gone, OSError, ValueError):
            pass  # Whatever ended it: the record says what was answered.
        finally:
            with self.lock:
                self.connections.discard(raw)
            try:
                connection.socket.close()
            except OSError:
                pass
            raw.close()

    def begin(self, play, grace=0):
        """Starts `play` once `grace` more requests have been answered well."""
        self.healed.clear()
        self.play, self.grace = play, grace

    def note_play(self):
        with self.lock:
            self.plays += 1

    def heal(self):
        self.play = None
        self.healed.set()
        if self.socket is None:
            self.listen()

    def stop(self):
        """Stops listening, and closes all connections."""
        listener, self.socket = self.socket, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.hang_up()

    def hang_up(self):
        with self.lock:
            open_now = list(self.connections)
        for raw in open_now:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class HostileAPI(Listener):
    """Keys are registered by PUT. `requests` has (time, key) of every request that was read, `confirmed` how often each key's
    registration was answered in full and in order, `repeated` how many requests were for a key confirmed before, and `plays` how
    often something else was done."""

    def __init__(self, host="127.0.0.1", tls=None):
        self.tls = tls  # an ssl.SSLContext
        self.requests = []
        self.confirmed = collections.Counter()
        self.confirmed_at = []
        self.repeated = 0
        # Keys that were confirmed by an answer whose last bytes were missing.
        self.arguable = set()
        super().__init__(host)

    @property
    def url(self):
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def serve(self, connection):
        play = self.play
        if play is not None and play.at == "accept":
            self.note_play()
            play.act(connection, None)
            return
        context = self.tls
        if play is not None and play.context:
            self.note_play()
            context = play.context
        if context:
            # A second descriptor, so that the first one can still be waited for, reset and hung up.
            connection.socket = context.wrap_socket(connection.raw.dup(), server_side=True)
        if context and connection.socket.selected_alpn_protocol() == "h2":
            import http2

            http2.serve(self, connection)
            return
        while True:
            head = connection.read_head()
            match = PATH.search(head.split(b"\r\n", 1)[0])
            key = match.group(1).decode() if match else ""
            connection.head = head
            if not self.answer(connection, key, lambda: connection.send(answer(body(key)))):
                return

    def answer(self, connection, key, confirm):
        """Plays, or confirms the key. False: the connection ends."""
        with self.lock:
            self.requests.append((time.time(), key))
            self.repeated += key in self.confirmed
            play = self.play if self.play is not None and self.play.at == "request" else None
            if play is not None and self.grace > 0:
                self.grace -= 1
                play = None
        if play is None:
            # Recorded first: a client with the answer finds it in the record.
            self.note_confirmed(key)
            confirm()
            return True
        self.note_play()
        play.act(connection, key)
        return not play.ends

    def note_confirmed(self, key):
        with self.lock:
            self.confirmed[key] += 1
            self.confirmed_at.append(time.monotonic())


class HostileProxy(Listener):
    """CONNECT to anywhere on loopback."""

    def serve(self, connection):
        play = self.play
        if play is not None and play.at == "accept":
            self.note_play()
            play.act(connection, None)
            return
        head = connection.read_head()
        if play is not None and play.at == "connect":
            self.note_play()
            play.act(connection, None)
            return
        port = int(head.split()[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as far:
            connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.relay(connection, far, play)

    def relay(self, connection, far, play):
        """With a play, the tunnel ends after `play.after` bytes of the client."""
        left = play.after if play is not None else None
        while True:
            for source in select.select([connection.raw, far], [], [])[0]:
                piece = source.recv(65536)
                if not piece:
                    return
                if source is far:
                    connection.raw.sendall(piece)
                    continue
                # A tunnel made before the play dies too.
                if left is None and self.play is not None and self.play.after is not None:
                    left = self.play.after
                if left is not None and (left := left - len(piece)) <= 0:
                    self.note_play()
                    connection.reset()
                far.sendall(piece)


class Authority:
    """Certificates made by openssl: a private authority's for localhost, and some that must be refused."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=private authority", "-keyout", "ca.key", "-out", "ca.pem")
        self.issue("good", "DNS:localhost,IP:127.0.0.1")
        self.issue("host", "DNS:elsewhere.example")
        self.issue("expired", "DNS:localhost", dates=("20200101000000Z", "20200102000000Z"))
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                     "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "self.key",
                     "-out", "self.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, names, dates=None):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
                     "-keyout", name + ".key", "-out", name + ".csr")
        if not dates:
            with open(self.path(name + ".ext"), "w") as file:
                file.write(f"subjectAltName={names}\n")
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                         "2", "-extfile", name + ".ext", "-out", name + ".pem")
            return
        # Only `openssl ca` can choose both dates.
        with open(self.path("ca.conf"), "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.path('index')}\nnew_certs_dir={self.folder}\n"
                       "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
                       f"[e]\nsubjectAltName={names}\n")
        open(self.path("index"), "w").close()
        self.openssl("ca", "-batch", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", name + ".csr", "-out",
                     name + ".pem", "-startdate", dates[0], "-enddate", dates[1], "-extensions", "e", "-notext")

    def context(self, name, *protocols):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context
