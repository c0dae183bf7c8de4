"""Works through a list of steps with a kombu connection pool and says what each of them gave.

Command: {"limit", "steps"}; a step is "acquire", ["release", n], ["fail", n] (its block raised) or "full?" (acquire
without waiting). The n-th acquired connection is meant, from 0. Answer: {"seen": [...]}: for each acquire the number of the
connection, in the order of their making; "limit" where there was none. Argument: {"url"}.
"""

import json
import sys

import kombu

import peer_lines

url = json.loads(sys.argv[1])["url"]


def handle(command):
    pool = kombu.Connection(url).Pool(limit=command["limit"])
    made = []
    leased = []
    seen = []
    for step in command["steps"]:
        if step in ("acquire", "full?"):
            try:
                connection = pool.acquire(block=False)
            except kombu.exceptions.LimitExceeded:
                seen.append("limit")
                continue
            connection.ensure_connection(max_retries=1)
            if connection.connection not in made:
                made.append(connection.connection)
            leased.append(connection)
            seen.append(made.index(connection.connection))
        elif step[0] == "release":
            leased[step[1]].release()
        else:
            # What kombu does at the end of a `with` block that raised.
            pool.replace(leased[step[1]])
    pool.force_close_all()
    return {"seen": seen}


peer_lines.serve(handle)
