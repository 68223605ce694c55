#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""extract_vmlinux.py BZIMAGE OUT: the uncompressed kernel inside an x86 bzImage.

qemu boots that ELF file through PVH: under emulation the kernel's own decompressor takes longer
than the rest of the boot. Offsets are those of the x86 boot protocol's header.
"""
import struct
import subprocess
import sys

UNPACKERS = {
    b"\xfd7zXZ\0": ["xz", "-dc", "--single-stream"],
    b"\x28\xb5\x2f\xfd": ["zstd", "-dcq"],
    b"\x02\x21\x4c\x18": ["lz4", "-dc"],
    b"\x1f\x8b": ["gzip", "-dc"],
}


def payload_of(image):
    if image[0x202:0x206] != b"HdrS":
        sys.exit("extract_vmlinux.py: not a bzImage")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return image[start:start + length]


def unpack(payload):
    for magic, command in UNPACKERS.items():
        if payload.startswith(magic):
            # The last four bytes are the unpacked size, which the unpackers would call garbage.
            done = subprocess.run(command, input=payload[:-4], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
            if done.stdout.startswith(b"\x7fELF"):
                return done.stdout
            sys.exit("extract_vmlinux.py: %s: %s" % (command[0], done.stderr.decode().strip()))
    sys.exit("extract_vmlinux.py: unknown compression: %s" % payload[:6].hex())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as f:
        image = f.read()
    with open(sys.argv[2], "wb") as f:
        f.write(unpack(payload_of(image)))


if __name__ == "__main__":
    main()
