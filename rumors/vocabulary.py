"""The codes that the register speaks in, with what people call them."""

from django.db import models
from django.utils.translation import pgettext_lazy


class Status(models.TextChoices):
    NEW = "new", pgettext_lazy("staff", "New")
    SCREENED = "screened", pgettext_lazy("staff", "Screened")
    ASSESSED = "assessed", pgettext_lazy("staff", "Assessed")
    DECIDED = "decided", pgettext_lazy("staff", "Decided")
    MONITORING = "monitoring", pgettext_lazy("staff", "Monitoring")
    RESPONDING = "responding", pgettext_lazy("staff", "Responding")
    CLOSED = "closed", pgettext_lazy("staff", "Closed")
    OUT_OF_SCOPE = "out_of_scope", pgettext_lazy("staff", "Out of scope")
    DUPLICATE = "duplicate", pgettext_lazy("staff", "Duplicate")


class Verdict(models.TextChoices):
    TRUE = "true", pgettext_lazy("staff", "True")
    MOSTLY_TRUE = "mostly_true", pgettext_lazy("staff", "Mostly true")
    PARTLY_TRUE = "partly_true", pgettext_lazy("staff", "Partly true")
    MOSTLY_FALSE = "mostly_false", pgettext_lazy("staff", "Mostly false")
    FALSE = "false", pgettext_lazy("staff", "False")
    OUT_OF_CONTEXT = "out_of_context", pgettext_lazy("staff", "Out of context")
    UNVERIFIABLE = "unverifiable", pgettext_lazy("staff", "Cannot be verified")
    OPINION = "opinion", pgettext_lazy("staff", "An opinion")


class Sensitivity(models.TextChoices):
    PUBLIC = "public", pgettext_lazy("staff", "Public")
    INTERNAL = "internal", pgettext_lazy("staff", "Internal")
    SECRET = "secret", pgettext_lazy("staff", "Secret")


class Priority(models.TextChoices):
    HIGH = "high", pgettext_lazy("staff", "High")
    MEDIUM = "medium", pgettext_lazy("staff", "Medium")
    LOW = "low", pgettext_lazy("staff", "Low")


class ClaimType(models.TextChoices):
    EVENT_HAPPENED = "event_happened", pgettext_lazy("staff", "Something is said to have happened")
    LAW_SAYS = "law_says", pgettext_lazy("staff", "What the law says")
    AUTHORITY_INTENTION = "authority_intention", pgettext_lazy("staff", "What the authorities intend")
    STATISTIC = "statistic", pgettext_lazy("staff", "A figure")
    STAFF_ACT = "staff_act", pgettext_lazy("staff", "What staff did")
    IMAGE_OR_VIDEO = "image_or_video", pgettext_lazy("staff", "A picture or a video")
    HOW_IT_WORKS = "how_it_works", pgettext_lazy("staff", "How it works")
    AVOID_SERVICES = "avoid_services", pgettext_lazy("staff", "A call to stay away from help")


class Channel(models.TextChoices):
    TIKTOK = "tiktok", pgettext_lazy("staff", "TikTok")
    YOUTUBE = "youtube", pgettext_lazy("staff", "YouTube")
    FACEBOOK = "facebook", pgettext_lazy("staff", "Facebook")
    INSTAGRAM = "instagram", pgettext_lazy("staff", "Instagram")
    SNAPCHAT = "snapchat", pgettext_lazy("staff", "Snapchat")
    TELEGRAM = "telegram", pgettext_lazy("staff", "Telegram")
    WHATSAPP = "whatsapp", pgettext_lazy("staff", "WhatsApp")
    X = "x", pgettext_lazy("staff", "X")
    WEB = "web", pgettext_lazy("staff", "Website")
    TV_RADIO = "tv_radio", pgettext_lazy("staff", "TV or radio")
    PRINT = "print", pgettext_lazy("staff", "Print")
    PHONE = "phone", pgettext_lazy("staff", "Phone")
    HOME_VISIT = "home_visit", pgettext_lazy("staff", "Home visit")
    OFFICE_VISIT = "office_visit", pgettext_lazy("staff", "Visit at the office")
    SCHOOL_PRESCHOOL = "school_preschool", pgettext_lazy("staff", "School or preschool")
    SFI = "sfi", pgettext_lazy("staff", "Swedish for immigrants (SFI)")
    PLACE_OF_WORSHIP = "place_of_worship", pgettext_lazy("staff", "Place of worship")
    ASSOCIATION = "association", pgettext_lazy("staff", "Association")
    PUBLIC_PLACE = "public_place", pgettext_lazy("staff", "Public place")
    DEMONSTRATION = "demonstration", pgettext_lazy("staff", "Demonstration")
    EMBASSY = "embassy", pgettext_lazy("staff", "Embassy")
    AUTHORITY = "authority", pgettext_lazy("staff", "Another authority")
    OTHER = "other", pgettext_lazy("staff", "Other")


class HeardHow(models.TextChoices):
    SEEN_ONLINE = "seen_online", pgettext_lazy("staff", "Seen online")
    TOLD = "told", pgettext_lazy("staff", "Told to me")
    OVERHEARD = "overheard", pgettext_lazy("staff", "Overheard")
    FORWARDED = "forwarded", pgettext_lazy("staff", "Forwarded")
    ASKED_ABOUT = "asked_about", pgettext_lazy("staff", "Asked about")


class Verifiability(models.TextChoices):
    CHECKABLE = "checkable", pgettext_lazy("staff", "Can be checked")
    PARTLY = "partly", pgettext_lazy("staff", "Can be checked in part")
    UNCHECKABLE = "uncheckable", pgettext_lazy("staff", "Cannot be checked")
    OPINION = "opinion", pgettext_lazy("staff", "An opinion: no disinformation")


class Confidence(models.TextChoices):
    LOW = "low", pgettext_lazy("staff", "Low")
    MEDIUM = "medium", pgettext_lazy("staff", "Medium")
    HIGH = "high", pgettext_lazy("staff", "High")


class Reach(models.TextChoices):
    """A human estimate; a change is the alarm."""

    LITTLE_INTEREST = "little_interest", pgettext_lazy("staff", "Little interest")
    FILTER_BUBBLE = "filter_bubble", pgettext_lazy("staff", "Inside a filter bubble")
    TRENDING = "trending", pgettext_lazy("staff", "Trending")
    MINOR_STORY = "minor_story", pgettext_lazy("staff", "A minor story in the media")
    HEADLINE_STORY = "headline_story", pgettext_lazy("staff", "A headline story in the media")


class ImpactOn(models.TextChoices):
    SERVICE_DELIVERY = "service_delivery", pgettext_lazy("staff", "Service delivery")
    REPUTATION = "reputation", pgettext_lazy("staff", "Reputation")
    STAFF_SAFETY = "staff_safety", pgettext_lazy("staff", "Staff safety")
    STAKEHOLDERS = "stakeholders", pgettext_lazy("staff", "Stakeholders")
    VULNERABLE_AUDIENCES = "vulnerable_audiences", pgettext_lazy("staff", "Vulnerable audiences")
    CLIMATE_OF_DEBATE = "climate_of_debate", pgettext_lazy("staff", "Climate of debate")


class Impact(models.TextChoices):
    NONE = "none", pgettext_lazy("staff", "None")
    LOW = "low", pgettext_lazy("staff", "Low")
    MEDIUM = "medium", pgettext_lazy("staff", "Medium")
    HIGH = "high", pgettext_lazy("staff", "High")


class Audience(models.TextChoices):
    PARENTS = "parents", pgettext_lazy("staff", "Parents")
    CHILDREN = "children", pgettext_lazy("staff", "Children")
    YOUTH = "youth", pgettext_lazy("staff", "Young people")
    NEWLY_ARRIVED = "newly_arrived", pgettext_lazy("staff", "Newly arrived")
    STAFF = "staff", pgettext_lazy("staff", "Staff")
    DIASPORA = "diaspora", pgettext_lazy("staff", "Diaspora")
    FOREIGN_PUBLIC = "foreign_public", pgettext_lazy("staff", "The public abroad")


class Spreader(models.TextChoices):
    """A kind, never a private person."""

    PRIVATE = "private", pgettext_lazy("staff", "Private people")
    INFLUENCER = "influencer", pgettext_lazy("staff", "A public profile or influencer")
    MEDIA = "media", pgettext_lazy("staff", "A news site or channel")
    ORGANIZATION = "organization", pgettext_lazy("staff", "An organization")
    POLITICAL = "political", pgettext_lazy("staff", "A political actor")
    STATE = "state", pgettext_lazy("staff", "A foreign state or its media")
    AUTOMATED = "automated", pgettext_lazy("staff", "Automated accounts")
    UNKNOWN = "unknown", pgettext_lazy("staff", "Not known")


class Precision(models.TextChoices):
    """How exactly the day is known."""

    DAY = "day", pgettext_lazy("staff", "That day")
    WEEK = "week", pgettext_lazy("staff", "About that week")
    MONTH = "month", pgettext_lazy("staff", "About that month")


class Action(models.TextChoices):
    """What is done about a rumor."""

    IGNORE = "ignore", pgettext_lazy("staff", "Do not answer")
    MONITOR = "monitor", pgettext_lazy("staff", "Watch it")
    PREPARE_LINE = "prepare_line", pgettext_lazy("staff", "Prepare what to say")
    REPLY_PUBLIC = "reply_public", pgettext_lazy("staff", "Reply in public")
    PUBLISH_FACT = "publish_fact", pgettext_lazy("staff", "Publish a fact")
    DIRECT_CONTACT = "direct_contact", pgettext_lazy("staff", "Talk to those concerned")
    PLATFORM_REPORT = "platform_report", pgettext_lazy("staff", "Report it to the platform")
    ESCALATE_INTERNAL = "escalate_internal", pgettext_lazy("staff", "Raise it inside")
    ESCALATE_AUTHORITY = "escalate_authority", pgettext_lazy("staff", "Raise it with an authority")
    OUTREACH_EVENT = "outreach_event", pgettext_lazy("staff", "Meet people about it")


class Strength(models.TextChoices):
    REFUTES = "refutes", pgettext_lazy("staff", "Refutes it")
    GIVES_CONTEXT = "gives_context", pgettext_lazy("staff", "Gives context")
    PARTLY_CONFIRMS = "partly_confirms", pgettext_lazy("staff", "Partly confirms it")


class Stance(models.TextChoices):
    """What a piece of evidence does to a claim."""

    SUPPORTS = "supports", pgettext_lazy("staff", "It supports the claim")
    REFUTES = "refutes", pgettext_lazy("staff", "It speaks against the claim")
    CONTEXT = "context", pgettext_lazy("staff", "It explains where the claim comes from")


class PairKind(models.TextChoices):
    SAME = "same", pgettext_lazy("staff", "The same claim")
    RELATED = "related", pgettext_lazy("staff", "A related claim")
    PART_OF = "part_of", pgettext_lazy("staff", "One is part of the other")


class PairState(models.TextChoices):
    SUGGESTED = "suggested", pgettext_lazy("staff", "Suggested")
    CONFIRMED = "confirmed", pgettext_lazy("staff", "Confirmed")
    REJECTED = "rejected", pgettext_lazy("staff", "Rejected")


# ABCDE: who, how, what, how widely and with which effect, in short codes. --------------------------------------------


class Actor(models.TextChoices):
    PRIVATE = "private", pgettext_lazy("staff", "Private people")
    INFLUENCER = "influencer", pgettext_lazy("staff", "Public profiles or influencers")
    GROUP = "group", pgettext_lazy("staff", "A group or an organization in Sweden")
    GROUP_ABROAD = "group_abroad", pgettext_lazy("staff", "A group or an organization abroad")
    STATE = "state", pgettext_lazy("staff", "A foreign state or its media")
    UNKNOWN = "unknown", pgettext_lazy("staff", "Not known")


class Behavior(models.TextChoices):
    ORGANIC = "organic", pgettext_lazy("staff", "People pass it on by themselves")
    COORDINATED = "coordinated", pgettext_lazy("staff", "Spread in concert")
    AUTOMATED = "automated", pgettext_lazy("staff", "Spread by automated accounts")
    HIDDEN_SENDER = "hidden_sender", pgettext_lazy("staff", "The sender hides or pretends to be somebody else")
    INTIMIDATION = "intimidation", pgettext_lazy("staff", "It intimidates staff or families")
    UNKNOWN = "unknown", pgettext_lazy("staff", "Not known")


class Content(models.TextChoices):
    FALSE_CLAIM = "false_claim", pgettext_lazy("staff", "A false claim in words")
    OUT_OF_CONTEXT = "out_of_context", pgettext_lazy("staff", "Something true, out of its context")
    ALTERED_MEDIA = "altered_media", pgettext_lazy("staff", "An altered or made-up picture or video")
    CONSPIRACY = "conspiracy", pgettext_lazy("staff", "A conspiracy story")
    HATE = "hate", pgettext_lazy("staff", "Hate against a group")
    CALL_TO_ACT = "call_to_act", pgettext_lazy("staff", "A call to do something")


class Degree(models.TextChoices):
    ONE_GROUP = "one_group", pgettext_lazy("staff", "Within one group or place")
    LOCAL = "local", pgettext_lazy("staff", "In the municipality")
    NATIONAL = "national", pgettext_lazy("staff", "In the whole country")
    ACROSS_BORDERS = "across_borders", pgettext_lazy("staff", "Across borders")


class Effect(models.TextChoices):
    NONE_SEEN = "none_seen", pgettext_lazy("staff", "None seen")
    WORRY = "worry", pgettext_lazy("staff", "Worry and questions")
    STAYS_AWAY = "stays_away", pgettext_lazy("staff", "People stay away from help")
    HARASSMENT = "harassment", pgettext_lazy("staff", "Staff are harassed or threatened")
    PROTEST = "protest", pgettext_lazy("staff", "Protests or disturbances")
