"""What the rules write, collected from their sources. Mirrors console/spoken.py."""

from talktime.console.spoken import catalogue_names, spoken, texts_of


def test_details_of_refusals_are_found_as_templates_with_their_values():
    found = {text for _, text in spoken()}
    assert "{name} is switched off" in found
    assert "there is no key {key_id}" in found
    assert "every wallet is the sum of its lots less its debt" in found


def test_texts_put_together_with_a_plus_are_one_text():
    source = 'x = f"number: +{digits} exists" + (f" ({region})" if region else "")'
    assert list(texts_of(source, errors=False)) == ["number: +{digits} exists{value}"]


def test_logs_docstrings_and_what_programmers_alone_meet_are_no_texts():
    source = '''
def pay():
    """Pay the bill of a call."""
    log.info("a call was paid", call=1)
    assert True, "this cannot be so"
    raise TypeError(f"there is no such call: {call}")
'''
    assert list(texts_of(source, errors=False)) == []


def test_exceptions_are_texts_where_people_read_them():
    source = 'raise ValueError(f"{text} is negative")'
    assert list(texts_of(source, errors=True)) == ["{text} is negative"]


def test_statements_keys_and_mere_values_are_no_texts():
    source = """
a = "SELECT id FROM lots"
b = f"{kind} {code}"
c = f"lot.expiring/day {day}"
"""
    assert list(texts_of(source, errors=False)) == []


def test_the_licences_of_the_catalogue_are_among_the_texts():
    assert ("catalogue_2026.yaml", "Domestic Calling Plan") in set(catalogue_names())
