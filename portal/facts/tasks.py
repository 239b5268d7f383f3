from typing import Final

from celery import shared_task

from portal.facts import actions

# A third of the tick of the beat: mail must not wait for paper.
SECONDS: Final = 5


@shared_task(name="portal.facts.tasks.render_handouts")
def render_handouts() -> None:
    actions.render(seconds=SECONDS)
