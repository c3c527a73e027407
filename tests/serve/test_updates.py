"""Messages that wait for their kernel, and updates that later ones replace."""

import json

from hypothesis import given
from hypothesis import strategies as st

from explorer.serve.connection import (
    FLOOD_PACE_S,
    FLOOD_REST_S,
    MOST_SENT,
    MOST_WAITING,
    PATIENCE_S,
    Updates,
)
from explorer.serve.messages import Message


def update(number, model="a", **state):
    data = {"method": "update", "state": state, "buffer_paths": []}
    content = {"comm_id": model, "data": data}
    return Message("shell", "comm_msg", {"msg_id": str(number)}, content)


def click(number, model="a"):
    content = {"comm_id": model, "data": {"method": "custom", "content": {}}}
    return Message("shell", "comm_msg", {"msg_id": str(number)}, content)


def ids(messages):
    return [int(each.header["msg_id"]) for each in messages]


def kept_of(messages):
    """What the kernel is given when it answers nothing until all have come, then each at once."""
    updates = Updates()
    given = []
    dropped = []
    for each in messages:
        dropped += updates.add(each)
        given += updates.due(0.0)
    now = 0.0
    while updates:
        now += 1.0
        for each in list(given):
            updates.answered(each.header["msg_id"])
        given += updates.due(now)
    assert sorted(ids(given) + ids(dropped)) == sorted(ids(messages))
    return ids(given)


def test_of_very_many_updates_the_first_few_and_the_last_reach_the_kernel():
    found = kept_of([update(number, value=number) for number in range(20_000)])
    assert found == [*range(MOST_SENT), 19_999]


def test_an_update_replaces_those_whose_keys_it_holds():
    filling = [click(number) for number in range(MOST_SENT)]
    more = [
        update(10, value=1),
        update(11, text="x"),
        update(12, value=2),
        update(13, "b", value=3),
    ]
    assert kept_of([*filling, *more])[MOST_SENT:] == [11, 12, 13]
    both = [*more, update(14, value=4, text="y")]
    assert kept_of([*filling, *both])[MOST_SENT:] == [13, 14]


def test_an_update_before_a_click_is_kept():
    filling = [click(number) for number in range(MOST_SENT)]
    more = [update(10, value=1), click(11, "b"), update(12, value=2)]
    assert kept_of([*filling, *more])[MOST_SENT:] == [10, 11, 12]


def test_what_cannot_be_replaced_fills_the_queue():
    updates = Updates()
    for number in range(MOST_WAITING):
        assert not updates.is_full
        assert updates.add(click(number)) == []
    assert updates.is_full
    assert len(list(updates.due(0.0))) == MOST_SENT
    assert not updates.is_full


def test_an_answer_that_never_comes_is_not_waited_for_without_end():
    updates = Updates()
    for number in range(MOST_SENT + 1):
        updates.add(click(number))
    assert ids(updates.due(0.0)) == [*range(MOST_SENT)]
    assert ids(updates.due(PATIENCE_S / 2)) == []
    assert ids(updates.due(PATIENCE_S)) == [MOST_SENT]
    for foreign in (None, [], "x", 5):
        assert not updates.answered(foreign)


SOME = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.sampled_from("ab"), st.sampled_from(["x", "y", "xy"])),
        st.tuples(st.just("click"), st.sampled_from("ab"), st.just("")),
    ),
    max_size=60,
)


@given(SOME)
def test_every_click_meets_the_state_that_it_was_made_in(told):
    """States at clicks and at the end are those of all messages; the order is kept."""
    messages = [
        click(number, model)
        if kind == "click"
        else update(number, model, **dict.fromkeys(keys, number))
        for number, (kind, model, keys) in enumerate(told)
    ]
    found = kept_of(messages)
    assert states([messages[number] for number in found]) == states(messages)


def states(messages):
    held, seen = {}, []
    for each in messages:
        data = each.content["data"]
        if data["method"] == "custom":
            seen.append((each.header["msg_id"], json.dumps(held, sort_keys=True)))
        else:
            held |= {f"{each.content['comm_id']}.{key}": v for key, v in data["state"].items()}
    return [*seen, json.dumps(held, sort_keys=True)]


def flooded(n, since=10.0, pace_s=0.001):
    """Updates after as many that each replaced the one before, and the time that it is."""
    updates, now, given = Updates(), since, []
    for number in range(n):
        now = since + pace_s * number
        updates.add(update(number, value=number), now)
        given += [each.header["msg_id"] for each in updates.due(now)]
    return updates, now, given


def test_a_flood_leaves_the_kernel_time_and_its_last_update_comes_next():
    updates, now, given = flooded(5000)
    assert updates.is_flooded(now)
    assert len(given) <= 5 + 5.0 / FLOOD_PACE_S
    for message in list(updates._sent):
        updates.answered(message)
    assert not updates.is_flooded(now + 2 * FLOOD_REST_S)
    (last,) = updates.due(now + 2 * FLOOD_REST_S)
    assert last.content["data"]["state"]["value"] == 4999


def test_a_hand_floods_nothing():
    updates, now, _ = flooded(500, pace_s=0.01)
    assert not updates.is_flooded(now)
