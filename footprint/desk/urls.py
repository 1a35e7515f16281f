from django.urls import path

from footprint.desk.views import account, cases, feeds, inbox, ledger, proof, publishing, signing, watchlists

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("sign-in", signing.sign_in, name="sign-in"),
    path("sign-out", signing.sign_out, name="sign-out"),
    path("account/", account.account, name="account"),
    path("cases/", cases.cases, name="cases"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/proof/", proof.proof, name="ledger-proof"),
    path("ledger/proof/verify", proof.verify, name="ledger-verify"),
    path("ledger/proof/export", proof.take_export, name="ledger-export"),
    path("ledger/proof/<int:pk>/", proof.progress, name="ledger-verification"),
    path("ledger/<int:seq>/", ledger.ledger, name="ledger-entry"),
    path("watchlists/", watchlists.watchlists, name="watchlists"),
    path("watchlists/<slug:slug>/", watchlists.watchlist, name="watchlist"),
    path("watchlists/publishing", publishing.switch, name="publishing-switch"),
    path("watchlists/<slug:slug>/versions/", watchlists.versions, name="watchlist-versions"),
    path("watchlists/<slug:slug>/rule/", publishing.rule, name="watchlist-rule"),
    path("watchlists/<slug:slug>/publish", publishing.publish, name="watchlist-publish"),
    path("watchlists/<slug:slug>/roll-back", publishing.roll_back, name="watchlist-roll-back"),
    path("watchlists/<slug:slug>/held/<int:pk>", publishing.held, name="watchlist-held"),
    path("watchlists/<slug:slug>/resume", publishing.resume, name="watchlist-resume"),
    path("watchlists/<slug:slug>/feeds/", publishing.feeds, name="watchlist-feeds"),
    path("watchlists/<slug:slug>/consumers", publishing.consumers, name="watchlist-consumers"),
    path("feeds/<slug:slug>/<slug:format>", feeds.feed, name="feed"),
    path("watchlists/<slug:slug>/download/<slug:format>/", watchlists.take_away, name="watchlist-download"),
]
