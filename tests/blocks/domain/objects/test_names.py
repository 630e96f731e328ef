"""Names of objects, as values and as text."""

from blocks.domain.objects.names import Name


def test_a_name_says_kind_place_and_name() -> None:
    name = Name.of({"kind": "Service", "metadata": {"namespace": "a", "name": "b"}})
    assert (str(name), name.short) == ("Service a/b", "Service/b")


def test_what_lives_in_no_namespace_names_none() -> None:
    assert str(Name.of({"kind": "Namespace", "metadata": {"name": "a"}})) == "Namespace a"
