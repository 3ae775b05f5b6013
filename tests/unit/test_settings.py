"""Settings: which layer wins, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest

from nonet.errors import SettingsError
from nonet.settings import Settings, load


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a user configuration folder of its own and an empty environment."""
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NONET_{name.upper()}", raising=False)
    monkeypatch.chdir(folder)
    return folder


def user_file(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "nonet" / "nonet.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.usefixtures("project")
def test_defaults_come_from_nowhere() -> None:
    loaded = load()
    assert loaded.settings == Settings()
    assert loaded.origins == {}
    assert loaded.settings.database_path().name == "nonet.db"


def test_each_layer_gives_way_to_the_one_above(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file(tmp_path).write_text("slots = 1\nthreads = 1\nmax_attempts = 1\nmax_subtasks = 1\n")
    (project.parent / "nonet.toml").write_text("slots = 2\nthreads = 2\nmax_attempts = 2\n")
    monkeypatch.setenv("NONET_SLOTS", "3")
    monkeypatch.setenv("NONET_THREADS", "3")
    loaded = load({"slots": 4, "threads": None})
    settings = loaded.settings
    assert (settings.slots, settings.threads, settings.max_attempts, settings.max_subtasks) == (4, 3, 2, 1)
    assert loaded.origins["slots"] == "--slots"
    assert loaded.origins["threads"] == "NONET_THREADS"
    assert loaded.origins["max_attempts"] == f"{project.parent / 'nonet.toml'}, line 3"
    assert loaded.origins["max_subtasks"] == f"{user_file(tmp_path)}, line 4"


def test_the_nearest_project_file_counts(project: Path) -> None:
    (project.parent / "nonet.toml").write_text("slots = 2\n")
    (project / "nonet.toml").write_text("slots = 5\n")
    assert load().settings.slots == 5


def test_ollama_host_of_the_server_is_the_weakest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    assert load().settings.ollama_host == "http://127.0.0.1:1"
    assert load().origins["ollama_host"] == "OLLAMA_HOST"
    (project / "nonet.toml").write_text('ollama_host = "http://127.0.0.1:2"\n')
    assert load().settings.ollama_host == "http://127.0.0.1:2"


def test_paths_in_a_file_are_meant_from_that_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.parent / "nonet.toml").write_text('db = "state/nonet.db"\ncache_dir = "~/models"\n')
    settings = load().settings
    assert settings.database_path() == project.parent / "state" / "nonet.db"
    assert settings.cache_path() == Path.home() / "models"
    monkeypatch.setenv("NONET_DB", "here.db")
    assert load().settings.database_path() == project / "here.db"


def test_a_ladder_from_a_file_and_from_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "nonet.toml").write_text('[models]\ncode = ["a", "b"]\n')
    assert load().settings.models == {"code": ["a", "b"]}
    assert load().origins["models"].endswith("line 1")
    monkeypatch.setenv("NONET_MODELS", '{"code": ["c"]}')
    assert load().settings.models == {"code": ["c"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\nruntim = 'ollama'\n", "line 2: there is no setting 'runtim'. Did you mean runtime?"),
        ("[modles]\ncode = ['a']\n", "line 1: there is no setting 'modles'. Did you mean models?"),
        ("zzzzzz = 1\n", "the settings are: batch_wait_seconds, cache_dir"),
        ("slots = 'many'\n", "line 1) should be a valid integer"),
        ("slots = 0\n", "greater than or equal to 1, not 0"),
        ("runtime = 'olama'\n", "'ollama', 'embedded' or 'scripted', not 'olama'"),
        ("models.code = []\n", "models.code (from "),
        ("stall_timeout_seconds = nan\n", "finite number"),
        ("slots = \n", "is not valid TOML"),
    ],
)
def test_a_wrong_file_names_the_place(project: Path, text: str, expected: str) -> None:
    (project / "nonet.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert expected in str(caught.value)
    assert str(project / "nonet.toml") in str(caught.value)
    assert "\n" not in caught.value.message


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("NONET_MODLE", "x", "Did you mean NONET_MODEL?"),
        ("NONET_SLOTS", "many", "slots (from NONET_SLOTS) should be a valid integer"),
        ("NONET_MODELS", "code=a", "written as JSON"),
        ("NONET_QQQQQQ", "x", "the settings are: NONET_BATCH_WAIT_SECONDS"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert expected in str(caught.value)


@pytest.mark.usefixtures("project")
def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONET_SLOTS", "")
    assert load().settings.slots is None


def test_files_that_cannot_be_read(project: Path) -> None:
    (project / "nonet.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load()


@pytest.mark.usefixtures("project")
def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(SettingsError, match=r"runtime \(from --runtime\)"):
        load({"runtime": "cloud"})


def test_settings_given_in_code_read_nothing_else(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONET_SLOTS", "7")
    (project / "nonet.toml").write_text("threads = 7\n")
    settings = Settings(light=True)
    assert (settings.slots, settings.threads, settings.light) == (None, None, True)
