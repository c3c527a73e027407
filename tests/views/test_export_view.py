from explorer.views.export import ExportView

CHOICES = [("cmpx", "Compressed file", ".cmpx, 12.0 KB"), ("python", "Python", "code")]


def press(view, kind):
    view._box._handle_custom_msg({"type": "ask", "kind": kind}, [])


def view_with_messages(monkeypatch):
    asked, sent = [], []
    view = ExportView(asked.append)
    monkeypatch.setattr(
        view._box, "send", lambda content, buffers=None: sent.append((content, buffers))
    )
    view.draw(CHOICES)
    return view, asked, sent


def test_only_a_kind_that_is_offered_can_be_asked_for(monkeypatch):
    view, asked, _ = view_with_messages(monkeypatch)
    press(view, "cmpx")
    press(view, "/etc/passwd")
    view._box._handle_custom_msg({"kind": "cmpx"}, [])
    assert asked == ["cmpx"]
    view.close()


def test_files_go_to_the_browser_as_bytes(monkeypatch):
    view, _, sent = view_with_messages(monkeypatch)
    view.work("Making a.cmpx…")
    assert view._box.busy and view._box.message == "Making a.cmpx…"
    view.give_file("a.cmpx", b"\x00\xff", "a.cmpx, 2 bytes")
    assert sent == [({"type": "file", "name": "a.cmpx"}, [b"\x00\xff"])]
    assert not view._box.busy and view._box.message == "a.cmpx, 2 bytes"
    view.give_text("import explorer", "Run this")
    assert sent[-1] == ({"type": "text", "text": "import explorer"}, None)
    view.close()


def test_failures_are_said_in_words_until_the_next_answer(monkeypatch):
    view, _, sent = view_with_messages(monkeypatch)
    view.work("Making a.onnx…")
    view.fail("ONNX files need the package onnx")
    assert (view._box.error, view._box.message, view._box.busy) == (
        "ONNX files need the package onnx",
        "",
        False,
    )
    view.give_text("x", "done")
    assert view._box.error == "" and len(sent) == 1
    view.close()
