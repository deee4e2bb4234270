"""The language of a search, and the snippets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_jupyter.domain.search import MAX_TERMS, Term, fold, match, parse, snippet


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("load orders", [Term(("load",)), Term(("orders",))]),
        ('"load orders" fast', [Term(("load", "orders")), Term(("fast",))]),
        ("migrat*", [Term(("migrat",), is_prefix=True)]),
        ('"load ord"*', [Term(("load", "ord"), is_prefix=True)]),
        ("load_orders.py", [Term(("load", "orders", "py"))]),
        ("ab*", [Term(("ab",))]),
        ('say "never closed', [Term(("say",)), Term(("never", "closed"))]),
        ("AND OR NOT NEAR(a b)", [Term(("AND",)), Term(("OR",)), Term(("NOT",)), Term(("NEAR", "a")), Term(("b",))]),
        ("title:x -y ^z {p} : q", [Term(("title", "x")), Term(("y",)), Term(("z",)), Term(("p",)), Term(("q",))]),
        ("", []),
        ('* " "" *** :-(', []),
    ],
)
def test_a_query_is_words_phrases_and_beginnings(query, terms):
    assert parse(query) == terms


def test_a_long_query_is_cut():
    assert len(parse("x " * 400)) == MAX_TERMS


@given(st.text(max_size=300))
def test_whatever_is_typed_is_letters_and_digits_then(query):
    for term in parse(query):
        assert all(character.isalnum() or "\u0300" <= character <= "\u036f" for word in term.words for character in word)


def test_case_and_accents_do_not_matter():
    assert fold("Élan") == "elan"
    assert match("Un ÉLAN", parse("elan")).terms == 1


def test_a_snippet_shows_the_place_with_most_of_the_words():
    text = "orders " + "nothing here " * 40 + "we load the orders at night " + "and more " * 40

    parts = snippet(text, parse("load orders"))

    assert [part.text for part in parts if part.is_match] == ["load", "orders"]
    assert parts[0].text == "…"
    assert len("".join(part.text for part in parts)) <= 165


def test_a_phrase_is_marked_as_one_and_only_where_its_words_follow_each_other():
    parts = snippet("orders load. Load orders!", parse('"load orders"'))

    assert [part.text for part in parts if part.is_match] == ["Load orders"]


def test_without_a_match_the_beginning_is_shown():
    assert [part.text for part in snippet("one two", parse("three"))] == ["one two"]
    assert snippet("", parse("x")) == []


def test_a_snippet_commands_no_terminal():
    assert "\x1b" not in "".join(part.text for part in snippet("\x1b[31mred\x1b]0;x\x07 wine", parse("wine")))


@given(st.text(max_size=400), st.text(max_size=40))
def test_a_snippet_is_a_piece_of_the_text(text, query):
    shown = "".join(part.text for part in snippet(text, parse(query))).strip("…")

    from agor_jupyter.domain.text import plain

    assert shown in " ".join(plain(text).split())
