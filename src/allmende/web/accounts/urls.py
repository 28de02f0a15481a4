"""Addresses of the accounts."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from allmende.web.accounts import views

app_name = "accounts"

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
