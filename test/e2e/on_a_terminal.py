"""Runs a program on a pseudo terminal, as its foreground process; its stderr is kept apart unless it is asked for there.

Argument: {"argv", "env", "columns", "stderr_on_terminal"}. Lines: {"stdout": text} and {"stderr": text} as they come, {"exit": status} at
the end (negative: the signal). Command: {"type": text} types on the terminal.
"""

import codecs
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading

_writing = threading.Lock()


def write(line):
    with _writing:
        print(json.dumps(line), flush=True)


def copy(name, fd):
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        try:
            chunk = os.read(fd, 65536)
        except OSError:  # what a terminal gives when nobody is on it any more
            return
        if not chunk:
            return
        write({name: decoder.decode(chunk)})


def type_what_is_asked(terminal):
    for line in sys.stdin:
        os.write(terminal, json.loads(line)["type"].encode())


def take_the_terminal():
    os.setsid()
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


command = json.loads(sys.argv[1])
terminal, program_end = pty.openpty()
fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, command["columns"], 0, 0))
program = subprocess.Popen(
    command["argv"],
    env=command["env"],
    stdin=program_end,
    stdout=program_end,
    stderr=program_end if command["stderr_on_terminal"] else subprocess.PIPE,
    preexec_fn=take_the_terminal,
)
os.close(program_end)
copiers = [threading.Thread(target=copy, args=("stdout", terminal))]
if program.stderr:
    copiers.append(threading.Thread(target=copy, args=("stderr", program.stderr.fileno())))
for copier in copiers:
    copier.start()
threading.Thread(target=type_what_is_asked, args=(terminal,), daemon=True).start()
status = program.wait()
for copier in copiers:
    copier.join()
write({"exit": status})
