from web.reporting.shelf import Shelf


def test_what_lies_on_the_shelf_is_not_made_again() -> None:
    shelf, made = Shelf(), []

    def make() -> str:
        made.append(1)
        return "page"

    assert [shelf.get("a", make) for _ in range(3)] == ["page"] * 3
    assert len(made) == 1


def test_the_oldest_makes_room() -> None:
    shelf = Shelf(room=10)
    for name in "abc":
        shelf.get(name, lambda name=name: name * 4)  # type: ignore[misc]  # bound at once
    assert shelf.get("b", lambda: "new") == "bbbb"
    assert shelf.get("a", lambda: "new") == "new"


def test_one_page_larger_than_the_room_is_still_answered() -> None:
    shelf = Shelf(room=1)
    assert shelf.get("a", lambda: "large") == "large"
    assert shelf.get("b", lambda: "larger") == "larger"
    assert shelf.get("a", lambda: "again") == "again"
