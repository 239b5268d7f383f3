"""When the register compares its rumors."""

import pytest
from django.utils import timezone

from rumors.matching import actions as matching
from rumors.pairs import actions
from rumors.pairs.models import Pair
from tests.rumors.conftest import log
from tests.rumors.test_pairs import ALIKE

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("service")
def test_a_rumor_waits_to_be_compared_until_its_meaning_is_there():
    log()
    log(claim=ALIKE)
    assert actions.compare_due(limit=10, now=timezone.now()) == 0
    matching.embed_due(limit=10, now=timezone.now())
    assert actions.compare_due(limit=10, now=timezone.now()) == 2
    assert Pair.objects.get().method == "both"
