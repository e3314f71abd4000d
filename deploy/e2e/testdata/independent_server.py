"""Serves numbers as Modbus registers with pymodbus, over TCP or RTU.

    independent_server.py registers.json tcp HOST:PORT
    independent_server.py registers.json serial DEVICE

The numbers are laid into registers by pymodbus's own encoder, the most
significant byte and word first.
"""

import asyncio
import json
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

TABLES = {"holding": 3, "input": 4}


def context(path):
    """Returns a slave of 4,096 registers a table for each unit of the file."""
    slaves = {}
    with open(path, encoding="utf-8") as file:
        registers = json.load(file)
    for register in registers:
        slave = slaves.setdefault(register["unit"], ModbusSlaveContext(
            hr=ModbusSequentialDataBlock(0, [0] * 4096),
            ir=ModbusSequentialDataBlock(0, [0] * 4096),
            zero_mode=True))
        builder = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=Endian.Big)
        getattr(builder, "add_" + register["type"])(register["number"])
        slave.setValues(TABLES[register["table"]], register["address"], builder.to_registers())
    return ModbusServerContext(slaves=slaves, single=False)


async def main():
    path, transport, address = sys.argv[1:]
    if transport == "tcp":
        host, port = address.rsplit(":", 1)
        await StartAsyncTcpServer(context=context(path), address=(host, int(port)), framer=ModbusSocketFramer)
    else:
        await StartAsyncSerialServer(context=context(path), port=address, framer=ModbusRtuFramer,
                                     baudrate=19200, parity="N", stopbits=1, bytesize=8, timeout=0.01)


asyncio.run(main())
