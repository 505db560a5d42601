#!/usr/bin/env python3
"""mllp_peer.py PORT CA CERT KEY FILE: a receiver of HL7 v2 over MLLP and mutual TLS as one would write it with the package python-hl7: parses each
message, appends it to FILE, syncs the file and acknowledges. It does neither seal nor record. bench.py measures against it.
"""

import asyncio
import os
import ssl
import sys

import hl7.mllp


async def main(port, ca, cert, key, path):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(cert, key)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def serve(reader, writer):
        try:
            while True:
                message = await reader.readmessage()
                os.write(file, str(message).encode())
                os.fdatasync(file)
                writer.writemessage(message.create_ack())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await hl7.mllp.start_hl7_server(serve, "127.0.0.1", port, ssl=context)
    async with server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
