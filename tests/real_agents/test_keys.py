"""A key in a variable is enough, and nobody else finds it afterwards."""

import shutil

import pytest

from harness.kits import KEY


@pytest.mark.agent
@pytest.mark.parametrize("kit", ["codex"], indirect=True)
async def test_a_key_without_any_settings_signs_in_and_is_in_no_sign_in_file(stage, home, model, monkeypatch):
    shutil.rmtree(home / ".codex")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model.url}/v1")

    session = await stage.begin()
    turn = await stage.play(session, {"text": "Here I am."})

    assert (turn.state, turn.error) == ("done", None)
    assert "Here I am." in await stage.text(turn)
    assert not (home / ".codex" / "auth.json").exists()
    assert [one for one in home.glob(".codex/*.toml") if KEY in one.read_text()] == []


@pytest.mark.agent
@pytest.mark.parametrize("kit", ["codex"], indirect=True)
async def test_without_a_key_the_turn_says_how_to_sign_in(stage, home, monkeypatch):
    shutil.rmtree(home / ".codex")
    monkeypatch.delenv("OPENAI_API_KEY")

    session = await stage.begin()
    turn = await stage.play(session, {"text": "Here I am."})

    assert (turn.state, turn.error_code) == ("failed", "auth_required")
    assert "jupyter agor agent show codex" in turn.error
