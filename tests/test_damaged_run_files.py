"""Run files whose bytes, rows and tables are not as they were written: read right, or refused with a `RunFileError`."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from malformed import VALUES, require_plain
from recorded import recorded, require_same, run_of
from saving import reader_of, writer_of

from rnnbow_widget import RNNbow, Run, RunFileError, Trainer
from rnnbow_widget.run_file import APPLICATION_ID, FORMAT, SCHEMA, checksum

TEXT = "the quick brown fox jumps over the lazy dog; " * 4
RECORDED = 6
STEPS, LAGS = 3, 2
MOST_BYTES = 50_000_000
"""Memory that reading such a file may take: it has some 30 kB."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small file of several turns of writing, with and without streams."""
    path = tmp_path_factory.mktemp("sound") / "run.rnnbow"
    run = run_of(0)
    run.keep_saving(path)
    for place in range(RECORDED):
        run.append(recorded(place, steps=STEPS, lags=LAGS, streams=place // 4))
        writer_of(run).write()
    writer_of(run).close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small file that a trainer wrote."""
    path = tmp_path_factory.mktemp("trained") / "run.rnnbow"
    trainer = Trainer(TEXT, hidden_size=3, seq_length=4, record_every=1, batch_size=2, save=path, seed=0)
    trainer.train(3)
    writer_of(trainer.run).close()
    return path.read_bytes()


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Bytes with one to three places flipped, overwritten, cut, inserted, dropped or zeroed."""
    found = bytearray(content)
    for _ in range(random.integers(1, 4)):
        if not found:
            break
        # Anywhere, in the head, or where a page of the database begins.
        at = int(random.choice([random.integers(len(found)), random.integers(200), 4096 * random.integers(6)]))
        at, size = min(at, len(found) - 1), int(random.integers(1, 60))
        match random.integers(7):
            case 0:
                found[at] ^= 1 << int(random.integers(8))
            case 1:
                found[at] = random.integers(256)
            case 2:
                del found[at:]
            case 3:
                found[at:at] = random.bytes(size)
            case 4:
                del found[at : at + size]
            case 5:
                found[at : at + size] = bytes(size)
            case _:
                found[at : at + 4096] = random.bytes(4096)
    return bytes(found)


def fresh(path: Path, content: bytes) -> Path:
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


def test_bytes_that_were_changed(sound: bytes, tmp_path: Path, tried: Callable[[str, int], None]) -> None:
    cases = 30_000 if settings.get_current_profile_name() == "soak" else 1_500
    random = np.random.default_rng(0)
    expected = [recorded(place, steps=STEPS, lags=LAGS, streams=place // 4) for place in range(RECORDED)]
    opened = read = 0
    for _ in range(cases):
        path = fresh(tmp_path / "run.rnnbow", damaged(sound, random))
        with contextlib.suppress(RunFileError):
            run = Run.open(path, memory_limit=1)
            assert len(run) == RECORDED
            for place, one in enumerate(expected):
                with contextlib.suppress(RunFileError):
                    require_same(run[place], one)
                    read += 1
            reader_of(run).close()
            opened += 1
    assert 0 < opened < cases
    assert opened < read < RECORDED * opened, "some of what is damaged is found out where it is read, and only there"
    tried("run files with bytes flipped, cut and inserted", cases)


@pytest.mark.parametrize(
    "harm", ["UPDATE overview SET crc = crc + 1", "UPDATE about SET crc = crc + 1 WHERE name = 'settings'"]
)
def test_another_run_that_is_damaged_is_not_mixed_with_the_one_before(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "run.rnnbow"
    run_of(3).save(path)
    run = Run.open(path)
    other = run_of(0)
    for place in range(5):
        other.append(recorded(place, steps=4, loss=np.full(4, 9, np.float32)))
    other.save(path, overwrite=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(harm)
        for _ in range(2):
            with pytest.raises(RunFileError, match="is damaged"):
                run.refresh()
            assert run.column("loss").tolist() == run_of(3).column("loss").tolist()
            require_same(run[2], recorded(2))
        connection.execute(harm.replace("+ 1", "- 1"))
    assert run.refresh()
    assert run.column("loss").tolist() == [9] * 5
    assert run[2].steps == 4


# Rows that are not as a run writes them, with the checksums that belong to them.


def odd_forms(value: Any, depth: int = 0) -> Iterator[Any]:
    """Every form of a JSON value in which one part of it is of another kind, or missing."""
    yield from VALUES
    if depth > 3:
        return
    if isinstance(value, dict):
        for name in value:
            yield {key: one for key, one in value.items() if key != name}
            for odd in odd_forms(value[name], depth + 1):
                yield {**value, name: odd}
    elif isinstance(value, list) and value:
        yield value[:-1]
        yield [*value, value[-1]]
        for odd in odd_forms(value[0], depth + 1):
            yield [odd, *value[1:]]


def odd_rows(connection: sqlite3.Connection) -> Iterator[tuple[str, list[tuple[str, tuple[Any, ...]]]]]:
    """Statements that make a row another one, with its checksum: what they do, and they."""
    for name, text in connection.execute("SELECT name, value FROM about").fetchall():
        for odd in odd_forms(json.loads(text)):
            changed = json.dumps(odd)
            row = (changed, checksum(changed.encode(), "about", name), name)
            yield f"{name} = {changed:.120}", [("UPDATE about SET value = ?, crc = ? WHERE name = ?", row)]
    for number, text in connection.execute("SELECT id, description FROM layouts").fetchall():
        for odd in odd_forms(json.loads(text)):
            changed = json.dumps(odd)
            row = (changed, checksum(changed.encode(), "layouts", number), number)
            yield (
                f"layout {number} = {changed:.120}",
                [("UPDATE layouts SET description = ?, crc = ? WHERE id = ?", row)],
            )


def odd_values(connection: sqlite3.Connection) -> Iterator[tuple[str, list[tuple[str, tuple[Any, ...]]]]]:
    """Statements that put what SQLite can hold into every column, with its checksum where there can be one."""
    columns = {
        "about": ("name", "value", "crc"),
        "layouts": ("id", "description", "crc"),
        "overview": ("first", "count", "layout", "detailed", "numbers", "crc"),
        "details": ("place", "layout", "arrays", "crc"),
    }
    values = [0, 1, -1, 2**31, 2**62, 0.5, 1e300, "", "text", "a\0b", b"", b"\0" * 8, b"\xff" * 1_000, bytes(10**6)]
    for table, names in columns.items():
        for name in names:
            for value in values:
                statement = f"UPDATE OR IGNORE {table} SET {name} = ?"
                yield f"{table}.{name} = {value!r:.60}", [(statement, (value,))]
                yield (
                    f"{table}.{name} = {value!r:.60} in one row",
                    [(f"{statement} WHERE rowid = (SELECT max(rowid) FROM {table})", (value,))],
                )
    for first, count, layout, detailed, numbers in connection.execute(
        "SELECT first, count, layout, detailed, numbers FROM overview"
    ).fetchall():
        for odd_count, odd_detailed in ((0, b""), (-1, b""), (2**62, detailed), (count, b"\2" * count), (1, b"\1\1")):
            crc = checksum(odd_detailed + numbers, "overview", first, odd_count, layout)
            odd = (odd_count, odd_detailed, crc, first)
            yield (
                f"overview {first}: {odd!r:.80}",
                [("UPDATE overview SET count = ?, detailed = ?, crc = ? WHERE first = ?", odd)],
            )
        noise = np.random.default_rng(first).bytes(len(numbers))
        row = (noise, checksum(detailed + noise, "overview", first, count, layout), first)
        yield f"overview {first}: noise", [("UPDATE overview SET numbers = ?, crc = ? WHERE first = ?", row)]
    for place, layout, arrays in connection.execute("SELECT place, layout, arrays FROM details").fetchall():
        noise = np.random.default_rng(place).bytes(len(arrays))
        for content, of in ((noise, layout), (b"", layout), (arrays, layout + 1), (arrays, -1), (arrays * 2, layout)):
            piece = (content, of, checksum(content, "details", place, of), place)
            yield (
                f"details {place}, layout {of}",
                [("UPDATE details SET arrays = ?, layout = ?, crc = ? WHERE place = ?", piece)],
            )


def complaint(path: Path) -> str:
    """What is wrong with how a file is opened, shown and read; empty if nothing is."""
    try:
        run = Run.open(path)
        widget = RNNbow(run)
        state = {name: one for name, one in widget.get_state().items() if name not in {"_esm", "_css", "layout"}}
        require_plain({**state, "_run": {**state["_run"], "chunks": None}})
        repr(widget)
        for place in range(len(run)):
            with contextlib.suppress(RunFileError):
                _ = run[place]
        reader_of(run).close()
    except RunFileError as error:
        return "" if path.name in str(error) and len(str(error)) < 1_000 else f"the error says {error!s:.200}"
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.160}"
    return ""


@pytest.mark.parametrize("changes", [odd_rows, odd_values])
@pytest.mark.parametrize("kind", ["sound", "trained"])
def test_rows_that_no_run_writes(
    changes: Callable[[sqlite3.Connection], Any],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tried: Callable[[str, int], None],
) -> None:
    content = request.getfixturevalue(kind)
    original = sqlite3.connect(fresh(tmp_path / "original.rnnbow", content))
    everything = list(changes(original))
    original.close()
    most = len(everything) if settings.get_current_profile_name() == "soak" else 300
    chosen = np.random.default_rng(0).permutation(len(everything))[:most]
    cases, wrong = len(chosen), []
    for what, statements in (everything[place] for place in chosen):
        path = fresh(tmp_path / "run.rnnbow", content)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        with contextlib.suppress(sqlite3.IntegrityError):
            for statement, parameters in statements:
                connection.execute(statement, parameters)
        connection.close()
        if said := complaint(path):
            wrong.append(f"{what}: {said}")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:60])
    tried("run files with rows that no run writes", cases)


# Databases that others made.

FOREIGN = [
    [],
    ["CREATE TABLE about (x)"],
    ["CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) SELECT x FROM c"],
    [statement.replace("TEXT", "BLOB") for statement in SCHEMA.values()],
    [statement.replace(" NOT NULL", "") for statement in SCHEMA.values()],
    [f"{statement} WITHOUT ROWID" for statement in SCHEMA.values()],
    [*SCHEMA.values(), "CREATE VIEW more AS SELECT * FROM about"],
    [*SCHEMA.values(), "CREATE TRIGGER t AFTER UPDATE ON about BEGIN SELECT randomblob(1000000000); END"],
    [*SCHEMA.values(), "CREATE INDEX i ON about (hex(value))"],
    [*SCHEMA.values(), "CREATE TABLE g (x, y GENERATED ALWAYS AS (hex(x)) STORED)"],
    [*SCHEMA.values(), "CREATE VIRTUAL TABLE f USING fts5(x)"],
    [
        *list(SCHEMA.values())[1:],
        "CREATE VIEW about AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT 'state' AS name, group_concat(x) AS value, 0 AS crc FROM c",
    ],
    list(SCHEMA.values()),
    [*SCHEMA.values(), "INSERT INTO about VALUES ('state', zeroblob(50000000), 0)"],
    [*SCHEMA.values(), "INSERT INTO about VALUES (NULL, '', 0), (7, '', 0), (x'00', '', 0)"],
]
PRAGMAS = [
    [],
    ["encoding = 'UTF-16'"],
    ["journal_mode = WAL"],
    ["page_size = 512"],
    ["page_size = 65536"],
    ["auto_vacuum = FULL"],
    ["secure_delete = ON", "locking_mode = EXCLUSIVE"],
]


@pytest.mark.parametrize("application", [APPLICATION_ID, 0, -1])
def test_databases_that_others_made(application: int, tmp_path: Path, tried: Callable[[str, int], None]) -> None:
    cases, wrong = 0, []
    for statements in FOREIGN:
        for pragmas in PRAGMAS if application == APPLICATION_ID else PRAGMAS[:1]:
            for version in (FORMAT, -1, FORMAT + 1):
                cases += 1
                path = fresh(tmp_path / "run.rnnbow", b"")
                connection = sqlite3.connect(path, isolation_level=None)
                connection.execute("PRAGMA synchronous = OFF")
                for pragma in [*pragmas, f"application_id = {application}", f"user_version = {version}"]:
                    connection.execute(f"PRAGMA {pragma}")
                for statement in statements:
                    try:
                        connection.execute(statement)
                    except sqlite3.OperationalError as error:
                        if "no such module" not in str(error):  # an SQLite without that extension
                            raise
                connection.close()
                try:
                    Run.open(path)
                    wrong.append(f"{statements} {pragmas} {version}: it was opened")
                except RunFileError as error:
                    if path.name not in str(error):
                        wrong.append(f"{statements} {pragmas} {version}: {error}")
                    newer = application == APPLICATION_ID and version > FORMAT
                    if newer and "install a newer version" not in str(error):
                        wrong.append(f"{statements} {pragmas} {version}: it is newer, and {error}")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:40])
    tried("databases that are no run files", cases)


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 84, b"x" * 10**6]
)
def test_files_that_are_no_databases(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match=r"is empty|is not a run file|is damaged|is a database"):
        Run.open(fresh(tmp_path / "run.rnnbow", content))


MEASURED = """
import resource, sys
from rnnbow_widget import Run, RunFileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        run = Run.open(path)
        list(run)
    except RunFileError:
        pass
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def test_sizes_that_are_only_said_take_no_memory(
    sound: bytes, tmp_path: Path, tried: Callable[[str, int], None]
) -> None:
    paths: list[Path] = []
    for size in (10**5, 10**9, 2**31, 2**62):
        shapes = [f'[["loss"],"<f4",[{size}]]', f'[["surfaces","W_hh"],"<f4",[{size},{size}]]']
        changes = [
            (
                "layouts",
                "description",
                f'{{"kind":"details","pieces":[{",".join(shapes)}],"constants":{{}},"streams":[]}}',
                1,
            ),
            ("layouts", "description", '{"kind":"overview","columns":[' + '["x","<f8"],' * 1_000 + '["y","<f8"]]}', 2),
        ]
        for table, column, text, number in changes:
            path = fresh(tmp_path / f"{len(paths)}.rnnbow", sound)
            connection = sqlite3.connect(path)
            with connection:
                row = (text, checksum(text.encode(), table, number), number)
                connection.execute(f"UPDATE {table} SET {column} = ?, crc = ? WHERE id = ?", row)
            connection.close()
            paths.append(path)
        path = fresh(tmp_path / f"{len(paths)}.rnnbow", sound)
        connection = sqlite3.connect(path)
        with connection:
            (text,) = connection.execute("SELECT value FROM about WHERE name = 'state'").fetchone()
            state = json.dumps({**json.loads(text), "written": size})
            connection.execute(
                "UPDATE about SET value = ?, crc = ? WHERE name = 'state'",
                (state, checksum(state.encode(), "about", "state")),
            )
        connection.close()
        paths.append(path)
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, paths)], check=True, capture_output=True, text=True
    )
    assert int(measured.stdout) < MOST_BYTES
    tried("run files that say they are huge", len(paths))
