from django.urls import path

from footprint.desk.views import account, cases, inbox, ledger, signing, watchlists

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("sign-in", signing.sign_in, name="sign-in"),
    path("sign-out", signing.sign_out, name="sign-out"),
    path("account/", account.account, name="account"),
    path("cases/", cases.cases, name="cases"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/<int:seq>/", ledger.ledger, name="ledger-entry"),
    path("watchlists/", watchlists.watchlists, name="watchlists"),
    path("watchlists/<slug:slug>/", watchlists.watchlist, name="watchlist"),
    path("watchlists/<slug:slug>/download/<slug:format>/", watchlists.take_away, name="watchlist-download"),
]
