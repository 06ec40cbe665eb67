DROP TRIGGER jobs_styles_stay ON jobs_style;
DROP TRIGGER jobs_styles_keep_their_code ON jobs_style;
DROP TRIGGER jobs_style_versions_are_append_only ON jobs_styleversion;
