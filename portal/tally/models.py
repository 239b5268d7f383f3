from django.db import models


class Batch(models.Model):
    """The last batch of counts that was kept, one row for each purpose; its lock lets one at a time keep them."""

    purpose = models.CharField(max_length=20, unique=True)
    number = models.UUIDField(null=True)

    def __str__(self) -> str:
        return self.purpose
