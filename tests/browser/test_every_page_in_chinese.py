"""Every page of the map of addresses, in Chinese."""

from tests.browser.conftest import Wear
from tests.browser.dress import CHINESE, Dress
from tests.browser.rounds import every_page_in, faults_at


@every_page_in(CHINESE)
def test_a_page_is_sound(wardrobe: Wear, origin: str, shared: str, path: str, dress: Dress) -> None:
    assert faults_at(wardrobe(dress), origin, path, dress, shared) == []
