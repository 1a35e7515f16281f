from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    READER = "reader", "Reader"
    ANALYST = "analyst", "Analyst"
    REVIEWER = "reviewer", "Reviewer"
    LEAD = "lead", "Lead"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


class Theme(models.TextChoices):
    AUTO = "auto", "As the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class Person(AbstractUser):
    """Someone who signs in. People are deactivated, never deleted: the ledger speaks of them."""

    role = models.CharField(max_length=16, choices=Role, default=Role.READER)
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.AUTO)
    # The password was given by somebody else, who could sign in with it until the person chooses one.
    must_choose_password = models.BooleanField(default=False)

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        letters = [word[0] for word in str(self).split() if word]
        return "".join(letters[:2]).upper()


class SignInAttempts(models.Model):
    """Failed sign-ins of one key: a name from an address, or an address. Kept for minutes, not for good."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "sign-in attempts"
        indexes = (models.Index(fields=["began_at"], name="attempts_began"),)

    def __str__(self) -> str:
        return f"{self.count} since {self.began_at}"
