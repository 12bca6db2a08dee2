"""The items of a conversation, and what the client may do with them."""

import gc
import random
import tracemalloc

import numpy as np
import pytest

from realtime.session.commands import (
    FRONT,
    CommitAudio,
    Configure,
    CreateItem,
    DeleteItem,
    RetrieveItem,
    Speak,
    TruncateItem,
)
from realtime.session.conversation import (
    BLOCK_ITEMS,
    MAX_CHARACTERS,
    MAX_ITEMS,
    AudioPart,
    Conversation,
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemContent,
    ItemStatus,
    Message,
    Role,
    TextPart,
    chat_messages,
)
from realtime.session.events import (
    AudioCommitted,
    CommandRefused,
    ItemAdded,
    ItemDeleted,
    ItemRetrieved,
    ItemTruncated,
    RefusalReason,
)
from realtime.session.generation import ChatMessage, ChatRole, ChatToolCall
from realtime.session.item_commands import add_item, change_item
from realtime.session.packed_block import MAX_COMPRESSED, PackedBlock
from realtime.session.response_events import ResponseItemAdded, ResponseItemFinished
from realtime.speech.speech_timing import SpeechTiming
from tests.support.scripted_conversation import Conversation as Scripted
from tests.support.scripted_conversation import Microphone, configured, words_between
from tests.support.unpacked_blocks import unpacked_from_now_on


def written(text: str, role: Role = Role.USER) -> Message:
    return Message(role, (TextPart(text),))


def item(item_id: str) -> Item:
    return Item(item_id, written(item_id))


def ids(conversation: Conversation) -> list[str]:
    return [each.id for each in conversation]


# The order of items.


def test_items_follow_each_other_and_know_their_predecessor() -> None:
    conversation = Conversation()
    for item_id in "abc":
        conversation.append(item(item_id))
    assert ids(conversation) == ["a", "b", "c"]
    assert [conversation.predecessor(item_id) for item_id in "abcx"] == [None, "a", "b", None]


def test_an_item_comes_first_or_after_another() -> None:
    conversation = Conversation()
    conversation.append(item("b"))
    conversation.insert(item("a"), None)
    conversation.insert(item("c"), "b")
    assert ids(conversation) == ["a", "b", "c"]


def test_there_is_no_place_after_an_unknown_item() -> None:
    with pytest.raises(KeyError):
        Conversation().insert(item("a"), "x")


def test_a_deleted_item_does_not_come_back() -> None:
    conversation = Conversation()
    conversation.append(item("a"))
    conversation.delete("a")
    conversation.set_transcript("a", "Hello.")
    assert "a" not in conversation
    assert len(conversation) == 0


def test_of_too_many_items_the_oldest_are_dropped() -> None:
    conversation = Conversation()
    for number in range(MAX_ITEMS + 2):
        conversation.append(item(str(number)))
    assert len(conversation) == MAX_ITEMS
    assert ids(conversation)[0] == "2"


LONG = "a" * (MAX_CHARACTERS // 4)


@pytest.mark.parametrize(
    "content",
    [
        written(LONG),
        Message(Role.USER, (AudioPart(LONG), AudioPart(None))),
        FunctionCall("", "", LONG),
        FunctionCallOutput("", LONG),
    ],
)
def test_of_too_much_text_the_oldest_items_are_dropped(content: ItemContent) -> None:
    conversation = Conversation()
    for number in range(6):
        conversation.append(Item(str(number), content))
    assert ids(conversation) == ["2", "3", "4", "5"]
    conversation.delete("3")
    conversation.append(Item("6", content))
    assert ids(conversation) == ["2", "4", "5", "6"]


def test_a_transcript_that_is_too_much_drops_the_oldest_items() -> None:
    conversation = Conversation()
    conversation.append(Item("turn", Message(Role.USER, (AudioPart(),))))
    for number in range(4):
        conversation.append(Item(str(number), written(LONG)))
    conversation.insert(Item("first", written("")), None)
    conversation.set_transcript("0", LONG + "a")
    assert ids(conversation) == ["1", "2", "3"]


@pytest.mark.parametrize("seed", range(20))
def test_many_items_are_those_of_a_list(seed: int) -> None:
    chance = random.Random(seed)
    conversation, expected = Conversation(), list[Item]()
    for number in range(6 * BLOCK_ITEMS):
        added = item(str(number))
        conversation.append(added)
        expected.append(added)
        if chance.random() < 0.1:
            place = chance.randrange(len(expected))
            old = expected[place]
            match chance.randrange(4):
                case 0:
                    conversation.delete(old.id)
                    expected.remove(old)
                case 1:
                    expected[place] = Item(old.id, Message(Role.USER, (AudioPart("changed"),)))
                    conversation.set_transcript(old.id, "changed")
                case 2:
                    expected.insert(place + 1, item(f"after {number}"))
                    conversation.insert(expected[place + 1], old.id)
                case _:
                    expected.insert(0, item(f"first {number}"))
                    conversation.insert(expected[0], None)
    assert list(conversation) == expected
    assert len(conversation) == len(expected)
    assert [conversation.predecessor(each.id) for each in expected] == [None, *[each.id for each in expected[:-1]]]
    assert all(conversation[each.id] == each for each in expected)
    assert "unknown" not in conversation
    with pytest.raises(KeyError):
        conversation["unknown"]
    with pytest.raises(KeyError):
        conversation.delete("unknown")


def test_an_old_message_is_truncated_where_it_was_played() -> None:
    conversation = Conversation()
    timing = SpeechTiming(24_000)
    timing.add_text("One two three four.")
    timing.add_audio(np.full(24_000, 0.5, np.float32))
    conversation.append(Item("said", Message(Role.ASSISTANT, (AudioPart(timing.text),))))
    conversation.set_timing("said", timing)
    for number in range(3 * BLOCK_ITEMS):
        conversation.append(item(str(number)))
    conversation.truncate("said", 0.5)
    assert conversation["said"].content == Message(Role.ASSISTANT, (AudioPart("One two"),))
    assert ids(conversation)[0] == "said"


def thousand_turns() -> Conversation:
    conversation = Conversation()
    for number in range(MAX_ITEMS):
        conversation.append(item(str(number)))
    return conversation


@pytest.mark.parametrize(
    "command",
    [
        *(CreateItem(written("new"), "new", after) for after in (None, FRONT, "100")),
        RetrieveItem("100"),
        RetrieveItem("unknown"),
        DeleteItem("100"),
    ],
)
def test_a_request_unpacks_a_few_of_a_thousand_items(
    command: CreateItem | RetrieveItem | DeleteItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = thousand_turns()
    unpacked = unpacked_from_now_on(monkeypatch)
    if isinstance(command, CreateItem):
        add_item(command, "new", conversation)
    else:
        change_item(command, conversation)
    conversation.append(item("next"))
    assert sum(unpacked) <= 8 * BLOCK_ITEMS


def test_items_inserted_among_old_ones_are_kept_in_order() -> None:
    conversation, expected = Conversation(), list[str]()
    for number in range(3 * BLOCK_ITEMS):
        conversation.append(item(f"old {number}"))
        expected.append(f"old {number}")
    for number in range(3 * BLOCK_ITEMS):
        conversation.insert(item(f"first {number}"), None)
        conversation.insert(item(f"after {number}"), f"old {BLOCK_ITEMS}")
        expected.insert(0, f"first {number}")
        expected.insert(expected.index(f"old {BLOCK_ITEMS}") + 1, f"after {number}")
    assert ids(conversation) == expected
    for item_id in expected:
        conversation.delete(item_id)
    assert len(conversation) == 0
    assert ids(conversation) == []


def test_large_objects_are_packed_without_compression() -> None:
    text = "a" * MAX_COMPRESSED
    block = PackedBlock.of([text, "b"], ["first", "second"])
    assert block.unpack() == [text, "b"]
    assert len(block.data) > len(text)
    assert block.may_hold("second")
    assert not block.may_hold("third")


def test_an_hour_of_turns_takes_little_memory() -> None:
    conversation = Conversation()
    chance = random.Random(1)
    words = [
        "the",
        "committee",
        "meets",
        "on",
        "thursday",
        "at",
        "noon",
        "in",
        "a",
        "room",
        "of",
        "the",
        "old",
        "town",
        "hall",
    ]
    tracemalloc.start()
    try:
        for _ in range(600):
            turn = f"item_{chance.getrandbits(84):021x}"
            conversation.append(Item(turn, Message(Role.USER, (AudioPart(),))))
            conversation.set_transcript(turn, " ".join(chance.choices(words, k=10)))
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 600 * 150
    finally:
        tracemalloc.stop()


# What the client asks.


def test_an_item_of_the_client_is_added_and_can_be_retrieved() -> None:
    scripted = Scripted()
    added = scripted.send(CreateItem(written("Hello."), "mine"))
    mine = Item("mine", written("Hello."))
    assert added == [ItemAdded(mine, None)]
    assert scripted.send(RetrieveItem("mine")) == [ItemRetrieved(mine)]


def test_an_item_without_an_id_is_given_one() -> None:
    (added,) = Scripted().send(CreateItem(written("Hello.")))
    assert isinstance(added, ItemAdded)
    assert added.item.id.startswith("item_")


def test_turns_and_responses_and_items_of_the_client_are_one_conversation() -> None:
    scripted, microphone = Scripted(), Microphone()
    scripted.send(CreateItem(written("Be kind.", Role.SYSTEM), "first"))
    scripted.hear(microphone.speech(2.0), microphone.silence(1.0))
    scripted.send(Speak("Hello."))
    scripted.wait(10.0)
    (committed,) = scripted.outputs_of(AudioCommitted)
    (spoken,) = scripted.outputs_of(ResponseItemAdded)
    (last,) = scripted.send(CreateItem(written("Thanks.")))
    (front,) = scripted.send(CreateItem(written("Listen."), after=FRONT))
    assert isinstance(last, ItemAdded)
    assert isinstance(front, ItemAdded)
    assert committed.previous_item_id == "first"
    assert spoken.previous_item_id == committed.item_id
    assert last.previous_item_id == spoken.item.id
    assert front.previous_item_id is None


def test_a_turn_is_retrieved_with_its_transcript() -> None:
    scripted, microphone = Scripted(), Microphone()
    scripted.hear(microphone.silence(0.64), microphone.speech(1.92), microphone.silence(1.0))
    (committed,) = scripted.outputs_of(AudioCommitted)
    (retrieved,) = scripted.send(RetrieveItem(committed.item_id))
    assert isinstance(retrieved, ItemRetrieved)
    assert retrieved.item.content == Message(Role.USER, (AudioPart(words_between(0.64, 2.56)),))


def test_a_turn_that_is_not_transcribed_is_an_item_too() -> None:
    scripted, microphone = Scripted(configured(turn_detection=None, transcribe=False)), Microphone()
    scripted.hear(microphone.speech(1.0))
    scripted.send(CommitAudio())
    (committed,) = scripted.outputs_of(AudioCommitted)
    assert not committed.transcribed
    (retrieved,) = scripted.send(RetrieveItem(committed.item_id))
    assert retrieved == ItemRetrieved(Item(committed.item_id, Message(Role.USER, (AudioPart(),))))


def test_a_deleted_item_is_gone() -> None:
    scripted = Scripted()
    scripted.send(CreateItem(written("Hello."), "mine"))
    assert scripted.send(DeleteItem("mine")) == [ItemDeleted("mine")]
    (refusal,) = scripted.send(DeleteItem("mine"))
    assert refusal == CommandRefused(RefusalReason.UNKNOWN_ITEM, DeleteItem("mine"), item_id="mine")


@pytest.mark.parametrize(
    ("command", "reason", "item_id"),
    [
        (CreateItem(written("Again."), "mine"), RefusalReason.DUPLICATE_ITEM, "mine"),
        (CreateItem(written("Lost."), "other", after="x"), RefusalReason.UNKNOWN_PREDECESSOR, "x"),
        (RetrieveItem("x"), RefusalReason.UNKNOWN_ITEM, "x"),
        (TruncateItem("x", 500), RefusalReason.UNKNOWN_ITEM, "x"),
        (TruncateItem("mine", 500), RefusalReason.NOT_SPOKEN, "mine"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    command: CreateItem | RetrieveItem | TruncateItem, reason: RefusalReason, item_id: str
) -> None:
    scripted = Scripted()
    (added,) = scripted.send(CreateItem(written("Hello."), "mine"))
    assert scripted.send(command) == [CommandRefused(reason, command, item_id=item_id)]
    assert isinstance(added, ItemAdded)
    assert scripted.send(RetrieveItem("mine")) == [ItemRetrieved(added.item)]


# What was played.


def spoken(scripted: Scripted) -> Item:
    """Speak a text of 4.2 s to its end, and return its item."""
    scripted.send(Speak("One two three four five six seven. Eight."))
    scripted.wait(60.0)
    return scripted.outputs_of(ResponseItemFinished)[-1].item


def text_of(scripted: Scripted, item_id: str) -> str:
    (retrieved,) = scripted.send(RetrieveItem(item_id))
    assert isinstance(retrieved, ItemRetrieved)
    assert isinstance(retrieved.item.content, Message)
    return retrieved.item.content.text


def test_of_a_truncated_message_the_words_are_kept_that_were_played() -> None:
    scripted = Scripted()
    said = spoken(scripted)
    assert scripted.send(TruncateItem(said.id, 1000)) == [ItemTruncated(said.id, 0, 1000)]
    assert text_of(scripted, said.id) == "One two"
    (retrieved,) = scripted.send(RetrieveItem(said.id))
    assert isinstance(retrieved, ItemRetrieved)
    assert retrieved.item.status is ItemStatus.INCOMPLETE


def test_a_message_that_was_played_to_its_end_stays_whole() -> None:
    scripted = Scripted()
    said = spoken(scripted)
    scripted.send(TruncateItem(said.id, 10**9))
    assert text_of(scripted, said.id) == "One two three four five six seven. Eight."


def test_a_message_is_truncated_no_longer_the_second_time() -> None:
    scripted = Scripted()
    said = spoken(scripted)
    scripted.send(TruncateItem(said.id, 1000))
    scripted.send(TruncateItem(said.id, 3000))
    assert text_of(scripted, said.id) == "One two"
    scripted.send(TruncateItem(said.id, 500))
    assert text_of(scripted, said.id) == "One"


def test_a_written_message_stays_as_it_is() -> None:
    scripted = Scripted()
    scripted.send(CreateItem(written("Hello.", Role.ASSISTANT), "mine"))
    assert scripted.send(TruncateItem("mine", 0)) == [ItemTruncated("mine", 0, 0)]
    assert text_of(scripted, "mine") == "Hello."


def test_a_message_that_was_deleted_while_it_was_spoken_does_not_come_back() -> None:
    scripted = Scripted()
    scripted.send(Speak("One two three four five six seven eight nine ten eleven twelve."))
    (added,) = scripted.outputs_of(ResponseItemAdded)
    scripted.send(DeleteItem(added.item.id))
    scripted.wait(60.0)
    (refusal,) = scripted.send(RetrieveItem(added.item.id))
    assert isinstance(refusal, CommandRefused)


def test_when_an_item_is_dropped_nothing_of_it_is_kept() -> None:
    scripted = Scripted()
    said = spoken(scripted)
    scripted.send(DeleteItem(said.id))
    assert isinstance(scripted.send(TruncateItem(said.id, 10))[0], CommandRefused)


# As text for a chat backend.


def test_a_chat_backend_is_sent_what_was_said_and_what_was_played() -> None:
    call = FunctionCall("call_1", "dim", "{}")
    messages = chat_messages(
        "Be brief.",
        [
            Message(Role.USER, (AudioPart("Turn the lights off."),)),
            written("One moment.", Role.ASSISTANT),
            call,
            FunctionCall("call_2", "dim", "[]"),
            FunctionCallOutput("call_1", "done"),
            Message(Role.USER, (AudioPart(None),)),
            Message(Role.ASSISTANT, (AudioPart("Done."),)),
            call,
        ],
    )
    assert messages == (
        ChatMessage(ChatRole.SYSTEM, "Be brief."),
        ChatMessage(ChatRole.USER, "Turn the lights off."),
        ChatMessage(
            ChatRole.ASSISTANT,
            "One moment.",
            (ChatToolCall("call_1", "dim", "{}"), ChatToolCall("call_2", "dim", "[]")),
        ),
        ChatMessage(ChatRole.TOOL, "done", call_id="call_1"),
        ChatMessage(ChatRole.ASSISTANT, "Done.", (ChatToolCall("call_1", "dim", "{}"),)),
    )


def test_a_call_without_text_is_a_message_of_its_own() -> None:
    (message,) = chat_messages(" ", [FunctionCall("call_1", "dim", "{}")])
    assert message == ChatMessage(ChatRole.ASSISTANT, tool_calls=(ChatToolCall("call_1", "dim", "{}"),))


def test_a_change_of_configuration_keeps_the_conversation() -> None:
    scripted = Scripted()
    scripted.send(CreateItem(written("Hello."), "mine"))
    scripted.send(Configure(configured(voice="alto")))
    assert isinstance(scripted.send(RetrieveItem("mine"))[0], ItemRetrieved)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("Look at this.", "What is it?"), "Look at this. What is it?"),
        (("Look: ", "this"), "Look: this"),
        (("Look:", "\nthis"), "Look:\nthis"),
        (("", "this", ""), "this"),
    ],
)
def test_the_parts_of_a_message_are_words_of_their_own(parts: tuple[str, ...], text: str) -> None:
    assert Message(Role.USER, tuple(map(TextPart, parts))).text == text
    assert Message(Role.USER, tuple(map(AudioPart, parts))).text == text
