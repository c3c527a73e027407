"""The command line."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import explorer
from explorer import cli
from explorer.commands import networks


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "explorer.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(capsys):
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1, errors
    return errors


def test_help_lists_the_commands():
    done = run("--help")
    assert done.returncode == 0
    for command in (
        "app",
        "models",
        "compress",
        "evaluate",
        "export",
        "reproduce",
        "sweep",
        "bench",
    ):
        assert f"    {command} " in done.stdout


def test_no_command_is_an_error_of_the_user():
    done = run()
    assert done.returncode == 2
    assert "COMMAND" in done.stderr
    assert "Traceback" not in done.stderr


def test_models_lists_the_catalog_with_its_origin(capsys):
    assert cli.main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines[1:]}
    assert list(rows) == list(explorer.catalog())
    assert rows["lenet-300-100"] == "bundled"
    assert rows["alexnet"] == "downloaded on first use"


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_bad_port_is_one_line(port, capsys):
    assert cli.main(["app", "--no-browser", "--port", port]) == 2
    assert last_line(capsys).startswith(
        f"compression-explorer: port must be in [1, 65535], got {port}"
    )


def test_an_unknown_model_is_one_line(capsys):
    assert cli.main(["app", "--no-browser", "--model", "lenet-55"]) == 2
    assert "such as lenet-5, " in (line := last_line(capsys))
    assert "got 'lenet-55'" in line


def test_a_missing_recipe_is_one_line(tmp_path, capsys):
    missing, output = str(tmp_path / "none.json"), str(tmp_path / "out.cmpx")
    assert cli.main(["compress", "lenet-300-100", "--recipe", missing, "-o", output]) == 2
    assert "none.json" in last_line(capsys)


def test_a_bad_recipe_is_one_line(tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("{", encoding="utf-8")
    output = tmp_path / "out.cmpx"
    assert cli.main(["compress", "lenet-300-100", "--recipe", str(bad), "-o", str(output)]) == 2
    last_line(capsys)
    assert not output.exists()


def test_a_file_written_is_evaluated_as_python_does(tmp_path, capsys):
    recipe = [explorer.Prune(sparsity=0.9)]
    written, output = tmp_path / "recipe.json", tmp_path / "lenet.cmpx"
    written.write_text(explorer.Recipe.of(recipe).to_json(), encoding="utf-8")
    arguments = ["compress", "lenet-300-100", "--recipe", str(written), "-o", str(output)]
    assert cli.main(arguments) == 0
    said = capsys.readouterr().out
    assert f"{output.stat().st_size:,} bytes" in said

    net, data = explorer.load("lenet-300-100")
    small = explorer.compress(net, recipe)
    assert f"{small.compression_ratio:.2f}x" in said
    assert cli.main(["evaluate", str(output)]) == 0
    accuracy = explorer.evaluate(small.restore(), data.eval)
    assert f"top-1 {accuracy.top1:.2%}" in (told := capsys.readouterr().out)
    assert f"n = {accuracy.n:,}" in told


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("alexnet", "must be a network that comes with data, got 'alexnet'"),
        ("", "model must be given, for the file does not name its network"),
    ],
)
def test_evaluating_without_data_is_one_line(network, expected, monkeypatch, capsys):
    monkeypatch.setattr(explorer, "open", lambda path: SimpleNamespace(network=network))
    monkeypatch.setattr(networks, "load", lambda name: SimpleNamespace(data=None))
    assert cli.main(["evaluate", "any.cmpx"]) == 2
    assert expected in last_line(capsys)


@pytest.mark.parametrize(
    ("ending", "smallest"), [(".safetensors", 1_000_000), (".onnx", 1_000_000)]
)
def test_a_compressed_file_becomes_a_plain_network(tmp_path, capsys, ending, smallest):
    net, _ = explorer.load("lenet-300-100")
    explorer.compress(net, [explorer.Prune(sparsity=0.9)]).save(tmp_path / "a.cmpx")
    written = tmp_path / f"a{ending}"
    assert cli.main(["export", str(tmp_path / "a.cmpx"), "-o", str(written)]) == 0
    assert written.stat().st_size > smallest
    assert f"{written.stat().st_size:,} bytes" in capsys.readouterr().out


def test_export_wants_an_ending_that_it_knows(tmp_path, capsys):
    net, _ = explorer.load("lenet-300-100")
    explorer.compress(net, []).save(tmp_path / "a.cmpx")
    assert cli.main(["export", str(tmp_path / "a.cmpx"), "-o", str(tmp_path / "a.pt")]) == 2
    assert "output must end in .safetensors or .onnx" in last_line(capsys)


def test_reproductions_are_listed(capsys):
    assert cli.main(["reproduce", "list"]) == 0
    assert "deep-compression-lenet-5" in capsys.readouterr().out.split()
    assert cli.main(["reproduce", "deep-compression-lenet-6"]) == 2
    assert "name: expected one of han2015-lenet-300-100" in last_line(capsys)
