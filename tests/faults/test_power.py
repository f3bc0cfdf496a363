from tests.faults.power import power_losses


def test_nothing_acknowledged_is_lost_when_the_power_fails() -> None:
    losses = power_losses(20, synchronous="FULL")
    assert losses.acknowledged > 1_000
    assert (losses.lost, losses.damaged) == (0, 0), losses


def test_the_disk_of_this_test_does_lose_what_is_not_flushed() -> None:
    losses = power_losses(10, synchronous="NORMAL")
    assert losses.rounds_with_losses > 0, losses
