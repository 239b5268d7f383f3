from django.urls import path

from portal.pages import feeds, health, views

everywhere = [
    path("", views.root, name="root"),
    path("sitemap.xml", feeds.sitemap, name="sitemap"),
    path("robots.txt", feeds.robots, name="robots"),
    path(".well-known/security.txt", feeds.security_txt, name="security_txt"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]
public = [
    path("", views.front, name="front"),
    path("search/", views.search, name="search"),
    path("feed.xml", feeds.feed, name="feed"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("privacy/", views.privacy, name="privacy"),
]
staff = [
    path("", views.staff_home, name="staff"),
    path("contacts/", views.staff_contacts, name="staff_contacts"),
    path("pages/<int:pk>/", views.staff_page, name="staff_page"),
    path("purges/", views.purges, name="purges"),
]
