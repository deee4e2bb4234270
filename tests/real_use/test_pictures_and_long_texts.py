"""A screenshot that was pasted into the prompt did nothing; 300,000 characters of a log were cut in silence."""

import asyncio
import base64
import dataclasses
import hashlib
import struct
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.domain import errors, pictures
from agor_jupyter.domain.agents import AgentType
from agor_jupyter.domain.attachments import MAX_SIDE, AttachmentCreate
from agor_jupyter.domain.sessions import Prompt
from agor_jupyter.notebook.attachments import _read, check_length
from agor_jupyter.services.app import Agor
from tests.sandbox.test_life import open_scene

SEEING = Path(__file__).parents[1] / "seeing_agent.py"


def png(width: int = 3, height: int = 2, fill: int = 0) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"".join(b"\0" + bytes([fill]) * width for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + bytes.fromhex("ffc0000b080140028001011100") + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (png(640, 320), ("image/png", ".png", 640, 320)),
        (JPEG, ("image/jpeg", ".jpg", 640, 320)),
        (b"GIF89a" + struct.pack("<HH", 640, 320), ("image/gif", ".gif", 640, 320)),
        (
            b"RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (319).to_bytes(3, "little"),
            ("image/webp", ".webp", 640, 320),
        ),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0/" + struct.pack("<I", 639 | 319 << 14), ("image/webp", ".webp", 640, 320)),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 640, 320), ("image/webp", ".webp", 640, 320)),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\xff\xd8\xff", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"%PDF-1.7", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(content, found):
    assert pictures.read(content) == found


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b""]), st.binary(max_size=64))
def test_no_bytes_break_it(beginning, rest):
    pictures.read(beginning + rest)


@pytest.fixture
async def scene(config, repository, owner, key):
    agents = [
        AgentType(name=name, label=name.title(), icon="ag-agent", command=[sys.executable, str(SEEING), *flags])
        for name, flags in (("seeing", []), ("blind", ["--blind"]))
    ]
    async with Agor(dataclasses.replace(config, agents=tuple(agents))) as app:
        yield await open_scene(app, repository, owner, key)


async def attach(scene, name: str, data: bytes):
    return await scene.agor.attachments.create(scene.caller, scene.worktree.id, AttachmentCreate(name=name, data=base64.b64encode(data)))


async def prompt(scene, session, *attachments, text="Look."):
    request = Prompt(text=text, attachments=[one.id for one in attachments])
    return await scene.agor.sessions.prompt(scene.caller, session.id, request, scene.key())


async def said(scene, session) -> list[str]:
    return [event["body"]["text"] for event in await scene.transcript(session) if event["body"]["kind"] == "text"]


async def test_an_agent_sees_a_picture_as_it_is_and_the_transcript_names_it(scene):
    session, picture = await scene.session(agent="seeing"), await attach(scene, "Bildschirmfoto 1.png", png())

    turn = await scene.ended(await prompt(scene, session, picture))

    assert (turn.state.value, turn.attachments) == ("done", [picture])
    assert await said(scene, session) == [f"image/png {hashlib.sha256(png()).hexdigest()[:12]}"]
    [sent] = [event["body"] for event in await scene.transcript(session) if event["body"]["kind"] == "prompt"]
    assert (sent["attachments"][0]["name"], sent["attachments"][0]["width"]) == ("Bildschirmfoto-1.png", 3)
    assert (await scene.agor.attachments.content(scene.worktree.id, picture.id)).data == base64.b64encode(png()).decode()


async def test_a_long_text_is_a_file_that_the_agent_reads_and_no_change_of_the_worktree(scene):
    session, log = await scene.session(agent="seeing"), await attach(scene, "run.log", ("line ü\n" * 50_000).encode())

    turn = await scene.ended(await prompt(scene, session, log))

    assert (await said(scene, session))[0].startswith("file of 350000")
    assert log.characters == 350_000
    assert turn.files == 0


async def test_in_a_sandbox_it_is_at_the_same_path_and_cannot_be_changed(config, repository, owner, key):
    seeing = AgentType(name="seeing", label="Seeing", icon="ag-agent", command=[sys.executable, str(SEEING)])
    async with Agor(dataclasses.replace(config, agents=(seeing,), sandbox="required", sandbox_read=(SEEING,))) as app:
        scene = await open_scene(app, repository, owner, key)
        session, log = await scene.session(agent="seeing"), await attach(scene, "run.log", b"x" * 1000)

        turn = await scene.ended(await prompt(scene, session, log), timeout=60)

        assert turn.error is None
        assert await said(scene, session) == ["file of 1000"]


async def test_an_agent_that_takes_no_pictures_is_not_sent_one(scene):
    picture = await attach(scene, "a.png", png())
    with pytest.raises(errors.ImagesNotTaken, match="Script does not accept pictures"):  # known beforehand
        await prompt(scene, await scene.session(), picture)

    session = await scene.session(agent="blind")  # says so when it runs
    turn = await scene.ended(await prompt(scene, session, picture))

    assert (turn.state.value, turn.error_code) == ("failed", "images_not_taken")
    assert await said(scene, session) == []


async def test_a_turn_that_is_retried_has_them_too(scene):
    session, picture = await scene.session(agent="blind"), await attach(scene, "a.png", png())
    turn = await scene.ended(await prompt(scene, session, picture))

    again = await scene.agor.turns.retry(scene.caller, turn.id, scene.key())

    assert again.attachments == [picture]
    await scene.ended(again)


async def test_the_same_content_is_kept_once_and_another_worktrees_is_not_found(scene):
    first, second = await attach(scene, "a.png", png()), await attach(scene, "a.png", png())
    other = await attach(scene, "a.png", png(fill=9))
    assert first == second
    assert first.id != other.id

    with pytest.raises(errors.AttachmentNotFound):
        await scene.agor.attachments.find("wt_another", [first.id])
    for hostile in ("../../agor.db", "at_../x", ""):
        with pytest.raises(errors.AttachmentNotFound):
            await scene.agor.attachments.find(scene.worktree.id, [hostile])


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.png", png(MAX_SIDE + 1, 1), r"1569 × 1 pixels; 1568 is the limit"),
        ("a.pdf", b"%PDF-1.7\0\xff", "neither a PNG, JPEG, GIF or WebP, nor text"),
        ("a.bin", b"\0" * 10, "neither"),
        ("a.log", b"x" * (10 * 2**20 + 1), "10.0 MiB; 10 is the limit"),
    ],
)
async def test_what_no_agent_could_take_is_refused_with_a_sentence(scene, name, data, why):
    with pytest.raises(errors.BadRequest, match=why):
        await attach(scene, name, data)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.txt"),
        ("größe.log", "groe.log"),
        ("", None),
        ("a b$(x).txt", "a-b-x-.txt"),
        ("…", "text.txt"),
        ("x" * 190 + ".log", None),
    ],
)
async def test_a_name_is_a_plain_name_of_a_file(scene, given, kept):
    if not given:
        with pytest.raises(ValueError, match="at least 1"):
            await attach(scene, given, b"text")
        return

    made = await attach(scene, given, b"text")

    assert "/" not in made.name
    assert len(made.name) <= 90
    assert kept is None or made.name == kept


async def test_those_of_a_removed_worktree_go_at_once_or_at_the_next_start(config, repository, owner, key):
    async with Agor(config) as app:
        scene = await open_scene(app, repository, owner, key)
        await attach(scene, "a.txt", b"kept")
        await app.worktrees.remove(owner, scene.worktree.id, key(), force=True)
    async with Agor(config), asyncio.timeout(50):
        while list((config.data_dir / "attachments").iterdir()):
            await asyncio.sleep(0.01)


def test_a_cell_hands_over_paths_bytes_figures_and_pictures(tmp_path):
    (tmp_path / "a.log").write_text("line")

    class Figure:
        def savefig(self, target, format):  # noqa: A002  # as matplotlib has it
            assert format == "png"
            target.write(b"figure")

    class Image:
        def save(self, target, format):  # noqa: A002  # as Pillow has it
            assert format == "PNG"
            target.write(b"picture")

    assert _read(tmp_path / "a.log", 1) == ("a.log", b"line")
    assert [_read(one, 2)[1] for one in (b"raw", Figure(), Image())] == [b"raw", b"figure", b"picture"]
    with pytest.raises(errors.BadRequest, match="no path, bytes, figure or picture"):
        _read(3, 1)


def test_five_million_characters_are_refused_with_their_number_and_what_would_work():
    with pytest.raises(errors.BadRequest, match=r"5,000,000 characters; 200,000 is the limit.*attach="):
        check_length("x" * 5_000_000)
