"""Records to the bytes of their sections, and back."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.codec.errors import DamagedFile
from explorer.compress.records.record import Dense, Record
from explorer.compress.records.spec import TensorSpec


def write_record(record: Record) -> Iterator[bytes]:
    """Yield the fields of a record, in the order of its ``field_bits``.

    Raises ValueError if the record writes other sizes than its layout promises.
    """
    expected = [field.n_bytes for field in record.spec.fields]
    written = 0
    for number, data in enumerate(record.write()):
        if len(data) != (expected[number] if number < len(expected) else None):
            break
        written += 1
        yield data
    if written < len(expected):
        raise ValueError(
            f"a record of the kind {record.kind!r} does not write the {expected} bytes that its "
            f"layout promises, from field {written} on; mend its `write` or its `fields_in`"
        )


def read_record(spec: TensorSpec, section: memoryview) -> Record:
    """Read a record back from its section.

    `spec`: whose fields were found sound, and fill the section. Raises DamagedFile if the fields
    contradict each other.
    """
    position = 0

    def reader(count: int) -> bytes:
        nonlocal position
        position += count
        return bytes(section[position - count : position])

    try:
        record = spec.read(reader)
    except ValueError as error:
        raise DamagedFile(str(error)) from error
    if position != len(section):
        raise DamagedFile(f"{position} bytes of {len(section)} were read")
    if (record.shape, record.dtype) != (spec.shape, spec.dtype):
        raise DamagedFile(f"it is of shape {tuple(record.shape)}, type {record.dtype}")
    return record


def is_written_as(record: Record, section: memoryview) -> bool:
    """Tell whether the fields of a record are written as a section has them."""
    if isinstance(record, Dense):
        return True
    start = 0
    for field in write_record(record):
        if section[start : start + len(field)] != field:
            return False
        start += len(field)
    return start == len(section)
