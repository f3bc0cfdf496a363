"""Every page of the map of addresses, in English."""

from tests.browser.conftest import Wear
from tests.browser.dress import ENGLISH, Dress
from tests.browser.rounds import every_page_in, faults_at


@every_page_in(ENGLISH)
def test_a_page_is_sound(wardrobe: Wear, origin: str, shared: str, path: str, dress: Dress) -> None:
    assert faults_at(wardrobe(dress), origin, path, dress, shared) == []
