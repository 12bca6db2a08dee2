from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime.backends.history import NO_RESULT, OMITTED, fitted, message_tokens, well_formed
from realtime.backends.tokens import shortened, tokens
from realtime.session.generation import ChatMessage, ChatRole, ChatToolCall

WORDS = "All work and no play makes a dull day. "


def system(text: str = "Be brief.") -> ChatMessage:
    return ChatMessage(ChatRole.SYSTEM, text)


def user(text: str) -> ChatMessage:
    return ChatMessage(ChatRole.USER, text)


def assistant(text: str = "", *calls: str) -> ChatMessage:
    return ChatMessage(ChatRole.ASSISTANT, text, tuple(ChatToolCall(each, "go", "{}") for each in calls))


def result(call_id: str, text: str = "done") -> ChatMessage:
    return ChatMessage(ChatRole.TOOL, text, call_id=call_id)


texts = st.text("ab 今", max_size=30) | st.integers(1, 60).map(lambda n: WORDS * n)
ids = st.sampled_from(["1", "2", "3", "4"])
messages = st.lists(
    st.one_of(
        texts.map(user),
        texts.map(assistant),
        st.builds(assistant, texts, ids),
        st.builds(assistant, texts, ids, ids),
        st.builds(result, ids, texts),
        texts.map(system),
    ),
    max_size=14,
)


def history_tokens(found: list[ChatMessage]) -> int:
    return sum(map(message_tokens, found))


def calls_and_results(found: list[ChatMessage]) -> tuple[list[str], list[str]]:
    calls = [call.call_id for message in found for call in message.tool_calls]
    return calls, [message.call_id for message in found if message.role is ChatRole.TOOL]


# Form.


@given(messages)
def test_only_results_have_the_same_author_as_the_message_before(history: list[ChatMessage]) -> None:
    pairs = list(pairwise(well_formed(history)))
    assert [one.role for one, other in pairs if one.role is other.role and one.role is not ChatRole.TOOL] == []


@given(messages)
def test_each_call_is_followed_by_its_results_and_no_result_is_alone(history: list[ChatMessage]) -> None:
    found = well_formed(history)
    for position, message in enumerate(found):
        for n, call in enumerate(message.tool_calls, 1):
            assert found[position + n].call_id == call.call_id
    calls, results = calls_and_results(found)
    assert calls == results


@given(messages)
def test_what_is_well_formed_stays_as_it_is(history: list[ChatMessage]) -> None:
    once = well_formed(history)
    assert well_formed(once) == once


def test_messages_of_the_same_author_in_a_row_become_one() -> None:
    assert well_formed(
        [user("One."), user("Two."), assistant("", "1"), assistant("", "2"), result("2"), result("1")]
    ) == [
        user("One.\nTwo."),
        assistant("", "1", "2"),
        result("1"),
        result("2"),
    ]


def test_what_the_assistant_says_after_a_result_follows_it() -> None:
    history = [user("Go."), assistant("", "1"), result("1"), assistant("", "2"), result("2"), assistant("Done.")]
    assert well_formed(history) == history


def test_a_result_that_came_after_more_speech_stands_behind_its_call() -> None:
    history = [user("Go."), assistant("", "1"), user("Hurry!"), result("1"), assistant("I went.")]
    assert well_formed(history) == [user("Go."), assistant("", "1"), result("1"), user("Hurry!"), assistant("I went.")]


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    assert well_formed([user("Go."), assistant("", "1"), user("Hurry!")])[2] == result("1", NO_RESULT)


def test_calls_with_the_same_id_keep_their_own_results() -> None:
    first = [user("Go."), assistant("", "1"), result("1", "gone"), assistant("I went.")]
    second = [user("Again!"), assistant("", "1"), result("1", "gone again")]
    assert well_formed([*first, *second]) == [*first, *second]
    assert well_formed([first[0], first[1], *second])[2] == result("1", NO_RESULT)


def test_empty_messages_and_results_without_a_call_are_left_out() -> None:
    assert well_formed([user("Hi"), assistant(""), result("9"), user(" ")]) == [user("Hi")]


# Length.


@given(messages, st.integers(50, 2000))
def test_what_fits_is_kept_whole_and_the_rest_has_at_most_the_limit(history: list[ChatMessage], limit: int) -> None:
    history = well_formed([system(), *history])
    found = fitted(history, limit)
    if history_tokens(history) <= limit:
        assert found == history
    calls, results = calls_and_results(found)
    assert calls == results
    assert found[0].text.startswith(history[0].text)
    leading = next((n for n, each in enumerate(found) if each.role is not ChatRole.SYSTEM), len(found))
    bare = sum(message_tokens(message) - tokens(message.text) for message in found[leading:])
    assert history_tokens(found) <= max(limit, history_tokens(found[:leading]) + bare + 5 * len(found))


@given(messages, st.integers(50, 2000))
def test_whole_turns_are_dropped_oldest_first(history: list[ChatMessage], limit: int) -> None:
    history = [each for each in well_formed([system(), *history]) if each.role is not ChatRole.SYSTEM]
    kept = [each for each in fitted([system(), *history], limit) if each.role is not ChatRole.SYSTEM]
    tail = history[len(history) - len(kept) :]
    assert [(each.role, each.call_id) for each in kept] == [(each.role, each.call_id) for each in tail]
    if len(kept) < len(history):
        assert kept[0].role is ChatRole.USER


def test_a_note_says_that_the_beginning_is_omitted() -> None:
    history = [system(), *(turn for n in range(40) for turn in (user(f"{n} {WORDS}"), assistant(WORDS)))]
    assert fitted(history, 400)[0] == system(f"Be brief.\n\n{OMITTED}")
    assert fitted(history[1:], 400)[0] == system(OMITTED)


def test_the_beginning_of_a_long_conversation_seldom_changes() -> None:
    """The server can reuse what it has computed for the beginning of the request before."""
    history = [system()]
    beginnings = []
    for n in range(100):
        history += [user(f"{n} {WORDS}"), assistant(WORDS)]
        beginnings.append(fitted(history, 1000)[1])
    changes = sum(before != after for before, after in pairwise(beginnings))
    assert 5 <= changes <= 12
    assert history_tokens(fitted(history, 1000)) > 650


def test_a_long_tool_result_in_the_last_turn_is_shortened_and_the_question_is_not() -> None:
    history = [system(), user("What does it say?"), assistant("", "1"), result("1", WORDS * 1000)]
    found = fitted(history, 300)
    assert found[:3] == history[:3]
    assert found[3].text.endswith(" […]")
    assert 250 < history_tokens(found) <= 300


# Tokens.


def test_the_estimate_is_near_the_count_of_real_tokenizers() -> None:
    counted_with_cl100k = {
        "The quick brown fox jumps over the lazy dog near the river bank.": 14,
        "Wie komme ich morgen früh am schnellsten zum Flughafen?": 15,
        "Как мне завтра утром быстрее всего добраться до аэропорта?": 21,
        "明天早上我怎样才能最快到达机场？": 21,
        "010 5555 1234": 6,
    }
    for text, count in counted_with_cl100k.items():
        assert 0.75 * count <= tokens(text) <= 2.2 * count, text


@given(st.text(max_size=60), st.integers(5, 60))
def test_a_shortened_text_is_a_beginning_with_at_most_that_many_tokens(text: str, limit: int) -> None:
    found = shortened(text, limit)
    assert tokens(found) <= limit
    assert text.startswith(found.removesuffix(" […]"))
