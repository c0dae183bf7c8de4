"""A broker for tests in Python: `hermod broker start` on a free port, gone with the tests."""

import contextlib
import os
import subprocess
import tempfile

HERMOD = os.environ.get('HERMOD', 'node_modules/.bin/hermod')


@contextlib.contextmanager
def hermod_broker(*arguments):
    """Runs a broker, and gives its URL, with a user and a password that were made up for it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [HERMOD, 'broker', 'start', '--listen', '127.0.0.1:0', '--quiet']
        command += ['--pid-file', os.path.join(folder, 'broker.pid'), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                # It writes the URL as soon as it takes connections.
                url = process.stdout.readline().strip()
                if not url:
                    raise RuntimeError(f'the broker ended with {process.wait()}')
                yield url
            finally:
                process.terminate()
