"""The scripts that a page starts with, as one."""

import gzip
import re
import urllib.error
import urllib.request

import pytest

from explorer.serve.scripts import EXTENSIONS, Opening, find_opening, page_config_hook


@pytest.fixture
def opening(tmp_path):
    for name, text in {"a.js": '"use strict"; this.a = 1', "b.js": "b = 2 // last"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Opening([tmp_path / "a.js", tmp_path / "b.js"])


def test_each_script_is_a_function_of_its_own(opening):
    told = gzip.decompress(opening.packed).decode()
    assert told == '(()=>{"use strict"; this.a = 1\n})();\n(()=>{b = 2 // last\n})();\n'


def test_the_name_changes_with_the_scripts(opening):
    again = Opening(opening.scripts)
    assert again.name == opening.name
    opening.scripts[0].write_text("longer than it was before", encoding="utf-8")
    assert Opening(opening.scripts).name != opening.name
    assert re.fullmatch("[0-9a-f]{16}", opening.name)


def test_what_is_installed_is_found():
    scripts = find_opening().scripts
    assert scripts[0].name == "voila-style.js"
    for extension in EXTENSIONS:
        assert any(f"/{extension}/static/" in each.as_posix() for each in scripts), extension
    assert sum(each.name.endswith(".voila.js") for each in scripts) > 20
    assert not any("remoteEntry" in each.name for each in scripts)


def test_pages_are_told_only_where_there_is_something(opening):
    told = page_config_hook(opening)({}, base_url="/base/", settings={})
    assert told == {"openingUrl": f"/base/voila/opening/{opening.name}.js"}
    assert page_config_hook(Opening([]))({}, base_url="/") == {}


def ask(address, **headers):
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request) as told:
        return told.headers, told.read()


def test_the_server_has_them_packed_and_browsers_keep_them(server):
    address = f"{server.root}voila/opening/{find_opening().name}.js"
    headers, packed = ask(address, **{"Accept-Encoding": "gzip, br"})
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert headers["Content-Type"].startswith("text/javascript")
    headers, plain = ask(address)
    assert "Content-Encoding" not in headers
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 3


def test_other_names_are_not_there(server):
    with pytest.raises(urllib.error.HTTPError, match="404") as told:
        urllib.request.urlopen(f"{server.root}voila/opening/{'0' * 16}.js")
    told.value.close()
