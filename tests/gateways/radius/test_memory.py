"""A request that is sent again gets the answer it had, for a while, from a bounded memory."""

from talktime.gateways.radius.memory import KEPT_S, Answers, Sender, sent_by

ONE, OTHER = Sender("192.0.2.7", 1024), Sender("192.0.2.7", 1025)


def test_the_same_bytes_of_the_same_sender_are_answered_as_before():
    answers = Answers()
    sent = sent_by(ONE, False, b"request")
    assert not answers.known(sent, 0)
    assert answers.known(sent, 1)
    assert answers.answer(sent) is None
    answers.keep(sent, b"answer")
    assert answers.known(sent, KEPT_S - 1)
    assert answers.answer(sent) == b"answer"


def test_another_port_other_bytes_or_another_sender_make_another_request():
    answers = Answers()
    answers.known(sent_by(ONE, False, b"request"), 0)
    for sent in (
        sent_by(OTHER, False, b"request"),
        sent_by(ONE, True, b"request"),
        sent_by(ONE, False, b"other"),
    ):
        assert not answers.known(sent, 0)


def test_an_answer_is_forgotten_after_half_a_minute():
    answers = Answers()
    sent = sent_by(ONE, False, b"request")
    answers.known(sent, 0)
    answers.keep(sent, b"answer")
    assert not answers.known(sent, KEPT_S)
    assert answers.answer(sent) is None


def test_a_request_that_came_to_nothing_can_be_tried_again():
    answers = Answers()
    sent = sent_by(ONE, False, b"request")
    answers.known(sent, 0)
    answers.forget(sent)
    assert not answers.known(sent, 1)


def test_the_oldest_goes_when_the_memory_is_full_and_is_not_kept_late():
    answers = Answers(most=3)
    sent = [sent_by(ONE, False, bytes([n])) for n in range(5)]
    for each in sent:
        assert not answers.known(each, 0)
    assert len(answers) == 3
    answers.keep(sent[0], b"late")
    assert len(answers) == 3
    assert answers.known(sent[4], 0)
