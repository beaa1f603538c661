# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy that makes a server on loopback far away. It delays, and does not limit how much passes.

Usage: python delay.py LISTENING_PORT SERVER_PORT MILLISECONDS      (of a round trip)
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

CHUNK = 1 << 18
IN_FLIGHT = 64  # chunks that are on their way in one direction


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass everything on, each chunk ``delay`` seconds after it came."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

    async def deliver() -> None:
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                return
            writer.write(chunk)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while True:
            chunk = await reader.read(CHUNK)
            await under_way.put((loop.time() + delay, chunk))
            if not chunk:
                break
        await delivery
    delivery.cancel()
    with contextlib.suppress(Exception):
        writer.close()


async def serve(port: int, server: int, milliseconds: float) -> None:
    delay = milliseconds / 2000

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A new TCP connection needs a round trip before it carries data.
        await asyncio.sleep(2 * delay)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", server)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, back, delay), carry(there, writer, delay))

    async with await asyncio.start_server(accept, "127.0.0.1", port) as proxy:
        await proxy.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
