"""Addresses of the accounts: our own pages, and those of django-allauth that are in use."""

from django.urls import include, path

from allmende.web.accounts import again, own, people_views, token_views, views

app_name = "accounts"

urlpatterns = [
    path("", own.home, name="home"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("oidc/<slug:provider_id>/login/", views.leave_for_provider, name="provider"),
    path("invitation/<str:secret>/", views.invitation, name="invitation"),
    path("again/", again.again, name="again"),
    path("email/", own.email, name="email"),
    path("password/set/", own.set_password, name="set-password"),
    path("name/", own.name, name="name"),
    path("sessions/", own.sessions, name="sessions"),
    path("data/", own.data, name="data"),
    path("delete/", own.delete, name="delete"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/new/", token_views.new_token, name="new-token"),
    path("tokens/<int:number>/revoke/", token_views.revoke, name="revoke-token"),
    path("broker/", views.check_for_broker, name="broker"),
    path("people/", people_views.people, name="people"),
    path("people/<int:number>/", people_views.person, name="person"),
]

allauth_urlpatterns = [
    path("", include("allauth.account.urls")),
    path("factors/", include("allauth.mfa.urls")),
    path("providers/", include("allauth.socialaccount.urls")),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
"""Outside of our namespace: allauth looks its own names up."""
