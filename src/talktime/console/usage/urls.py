from django.urls import path

from talktime.console.usage import (
    blocked_page,
    call_page,
    dial_out_page,
    export_pages,
    pools_page,
    report_page,
    view_pages,
)

USAGE = "organisations/<int:organisation_id>/usage/"

urlpatterns = [
    path(USAGE, report_page.usage_page, name="usage"),
    path(f"{USAGE}export/csv/", export_pages.csv_file, name="usage-csv"),
    path(f"{USAGE}export/zip/", export_pages.zip_file, name="usage-zip"),
    path(f"{USAGE}export/xlsx/", export_pages.workbook, name="usage-xlsx"),
    path(f"{USAGE}views/", view_pages.save, name="save-view"),
    path(f"{USAGE}views/<int:view_id>/delete/", view_pages.delete, name="delete-view"),
    path(f"{USAGE}pools/", pools_page.pools_page, name="pools"),
    path(f"{USAGE}dial-out/", dial_out_page.dial_out_page, name="dial-out"),
    path(f"{USAGE}blocked/", blocked_page.blocked_page, name="blocked-users"),
    path(f"{USAGE}dial-out/csv/", dial_out_page.dial_out_csv, name="dial-out-csv"),
    path(
        "organisations/<int:organisation_id>/calls/<int:usage_id>/",
        call_page.call_page,
        name="call",
    ),
]
