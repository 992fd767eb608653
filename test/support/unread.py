"""Clients that ask and never read: unread.py PORT|SOCKET COUNT PATH... Says "begun" once all have asked, and keeps their connections open."""
import socket
import sys
import time

where, count, paths = sys.argv[1], int(sys.argv[2]), sys.argv[3:]


def ask(path):
    if where.startswith("/"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(where)
    else:
        connection = socket.socket(socket.AF_INET)
        # Before it connects, so that the window is small from the start.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.bind(("127.0.0.2", 0))
        connection.connect(("127.0.0.1", int(where)))
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
    return connection


connections = [ask(paths[n % len(paths)]) for n in range(count)]
print("begun", flush=True)
time.sleep(600)
