"""What a faithful carrier does, row by row, and which test shows it; each of these cites what it follows."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent

ROWS: dict[str, tuple[str, ...]] = {
    # <Gather>
    "posts to the current document by default": ("gather.digits_go_to_the_current_document_by_default",),
    "action absolute and relative": ("gather.action_may_be_absolute_or_relative",),
    "GET puts parameters in the query": ("gather.get_puts_the_digits_into_the_query",),
    "falls through without input": ("gather.silence_falls_through_to_the_next_verb",),
    "default time-out 5 s": ("gather.time_out_is_five_seconds_by_default",),
    "time-out after the prompt, from the first key, restarted per key": (
        "gather.time_out_starts_when_the_nested_prompt_has_ended",
        "gather.after_a_key_in_the_prompt_the_time_out_counts_from_that_key",
        "gather.each_key_restarts_the_time_out",
    ),
    "a key stops the prompt": ("gather.a_key_stops_the_nested_prompt",),
    "finishOnKey default, custom, empty, as first key": (
        "gather.hash_finishes_by_default_and_is_not_among_the_digits",
        "gather.another_key_may_finish",
        "gather.with_no_finishing_key_every_key_is_taken",
        "gather.a_finishing_key_alone_falls_through",
    ),
    "numDigits": ("gather.enough_digits_submit_at_once",),
    "actionOnEmptyResult": ("gather.action_on_empty_result_submits_nothing",),
    "nested Play, Say, Pause only": (
        "gather.only_say_play_and_pause_may_be_nested",
        "documents.what_is_no_document_goes_to_the_fallback_url",
    ),
    "nested sounds first, keys before it lost, hang-up in it": (
        "gather.nested_sounds_are_fetched_before_the_first_is_heard",
        "gather.keys_before_a_gather_are_lost",
        "gather.hanging_up_in_a_gather_sends_no_gather_request",
    ),
    # documents
    "no Response root, invalid XML, unknown verb or attribute": (
        "documents.what_is_no_document_goes_to_the_fallback_url",
        "documents.without_a_fallback_the_call_ends",
        "documents.a_broken_fallback_ends_the_call",
        "documents.html_is_read_as_a_document",
        "documents.another_media_type_is_refused",
    ),
    "Redirect absolute, relative, GET": (
        "documents.a_redirect_may_be_absolute",
        "documents.redirects_are_resolved_against_the_last_document",
        "documents.a_redirect_may_be_a_get",
    ),
    "at most ten redirects": (
        "documents.more_than_ten_redirects_in_a_moment_end_the_call",
        "documents.http_redirects_are_followed_ten_times",
    ),
    "15 s ceiling": ("documents.a_slow_house_meets_the_ceiling",),
    "cookies per call": ("documents.cookies_are_kept_within_a_call",),
    "retries by connection overrides": (
        "documents.nothing_arrives_by_a_dead_address_and_the_fallback_knows",
        "documents.a_fragment_may_ask_for_more_retries_and_never_travels",
    ),
    # calls
    "create": ("carrier_calls.an_answered_call_tells_each_event_once_with_its_particulars",),
    "fetch and list": ("carrier_calls.calls_are_listed_by_number_status_moment_and_page",),
    "update: end, cancel, new Url, new Twiml": (
        "carrier_calls.a_running_call_is_ended_but_not_canceled",
        "carrier_calls.a_ringing_call_is_given_up_and_told",
        "carrier_calls.a_running_call_gets_another_document",
    ),
    "invalid requests": (
        "carrier_calls.a_request_that_cannot_be_meant_is_refused_in_twilios_words",
        "carrier_calls.who_does_not_know_the_token_learns_nothing",
    ),
    "calls per second, concurrency": (
        "carrier_calls.calls_start_one_a_second_and_the_others_wait",
        "carrier_calls.too_many_calls_at_once_are_refused",
    ),
    "no callback for canceled-while-queued": ("carrier_calls.a_call_canceled_while_queued_is_told_to_nobody",),
    "every event once per subscription, with its particulars": (
        "carrier_calls.an_answered_call_tells_each_event_once_with_its_particulars",
        "carrier_calls.only_subscribed_events_are_told_and_completed_by_default",
        "carrier_calls.a_call_that_nobody_takes_is_told_as_it_went",
    ),
    # on demand
    "callbacks duplicated, reordered, delayed, dropped": (
        "faults.duplicated_callbacks_come_twice_with_one_number",
        "faults.reordered_callbacks_come_after_their_successor_and_none_is_lost",
        "faults.delayed_callbacks_come_late",
        "faults.dropped_callbacks_never_come",
    ),
    "webhook before create() returns": ("faults.an_early_webhook_comes_before_the_request_is_answered",),
    "answer webhook sent twice, or late": (
        "faults.an_answer_sent_twice_carries_the_same_token",
        "faults.a_late_answer_comes_after_the_call_has_ended",
    ),
    "hang-up and key in mid-prompt": (
        "gather.hanging_up_in_a_gather_sends_no_gather_request",
        "gather.a_key_stops_the_nested_prompt",
    ),
    "429 and 5xx, carrier unreachable": (
        "faults.refused_requests_make_no_call",
        "faults.a_broken_rest_side_makes_the_call_in_some_cases_and_not_in_others",
        "faults.a_lost_answer_leaves_a_call_behind",
        "faults.a_carrier_that_is_away_takes_no_call_and_is_back_by_itself",
    ),
    "machine verdict late": ("carrier_calls.a_machine_verdict_may_come_after_the_call",),
}


@cache
def cited(module: str) -> dict[str, str | None]:
    """Each test of a module, with what it cites."""
    tree = ast.parse((HERE / f"test_{module}.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_docstring(node) for node in functions if node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_tests_that_cite_what_they_follow(row: str) -> None:
    for claim in ROWS[row]:
        module, _, name = claim.partition(".")
        assert cited(module).get(f"test_{name}"), claim
